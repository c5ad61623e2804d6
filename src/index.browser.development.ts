/**
 * What a bundler sees under the `browser` and `development` conditions: the same as in production, the checks of
 * definitions, and errors whose sentence shows in the console.
 *
 * @module
 */

import { CheckedSchemaBuilder } from "./api/definitionChecks.js";
import type { WebSocketSchema } from "./api/schema.js";
import { browserEnds } from "./client/platform/browser.js";
import { showInStacks } from "./client/platform/stackText.js";

export { defineSocketContract } from "./api/definitionChecks.js";
export * from "./index.browser.js";

showInStacks();

/** Begins a schema for a contract: give it a path and middlewares, then call `done()`. */
export const webSocketSchema: WebSocketSchema = (contract) => new CheckedSchemaBuilder(contract, browserEnds);
