/**
 * What a bundler sees under the `browser` and `development` conditions: the same as in production, and the checks of
 * definitions.
 *
 * @module
 */

import { CheckedSchemaBuilder } from "./api/definitionChecks.js";
import type { WebSocketSchema } from "./api/schema.js";
import { browserEnds } from "./client/platform/browser.js";

export { defineSocketContract } from "./api/definitionChecks.js";
export * from "./index.browser.js";

/** Begins a schema for a contract: give it a path and middlewares, then call `done()`. */
export const webSocketSchema: WebSocketSchema = (contract) => new CheckedSchemaBuilder(contract, browserEnds);
