/**
 * What a bundler sees under the `browser` and `development` conditions: the same as in production, the checks of
 * definitions and options, and errors whose sentence shows in the console.
 *
 * @module
 */

import { CheckedSchemaBuilder } from "./api/definitionChecks.js";
import type { SchemaEnds, WebSocketSchema } from "./api/schema.js";
import { CheckedSocketPool, checkedClient } from "./client/checkedClient.js";
import { browserEnds, browserPlatform } from "./client/platform/browser.js";
import { showInStacks } from "./client/platform/stackText.js";
import type { SocketPool } from "./client/pool.js";

export { defineSocketContract } from "./api/definitionChecks.js";
export * from "./index.browser.js";

showInStacks();

const ends: SchemaEnds = { ...browserEnds, createClient: checkedClient(browserPlatform) };

/** Begins a schema for a contract: give it a path and middlewares, then call `done()`. */
export const webSocketSchema: WebSocketSchema = (contract) => new CheckedSchemaBuilder(contract, ends);

/** Connections past any contract, shared by URL and handshake headers. Prefer `createClient()` in application code. */
export const GGSocketPool: SocketPool = /* @__PURE__ */ new CheckedSocketPool(browserPlatform);
