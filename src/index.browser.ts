/**
 * What a bundler sees under the `browser` condition: contracts and the client. No `ws`, no Node modules.
 *
 * @module
 */
import { browserPlatform } from "./client/browser.js";
import { SocketPool } from "./client/pool.js";
import { socketClient } from "./client/socketClient.js";
import { GGWebSocketSchemaBuilder, type SchemaEnds } from "./contract/schema.js";
import type { GGSocketContract, GGSocketMethodMap } from "./contract/socketContract.js";

export * from "./shared.js";

const ends: SchemaEnds = {
  createClient: (schema, config) => socketClient(schema, config, browserPlatform),
  startServer(schema) {
    throw new Error(`${schema.name}: a browser cannot serve an API, register it on the server`);
  },
};

/**
 * Begins a schema for a contract: give it a path and middlewares, then call `done()`.
 *
 * @param contract made by `defineSocketContract`
 */
export function webSocketSchema<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap>(
  contract: GGSocketContract<{ readonly clientToServer: C2S; readonly serverToClient: S2C }>,
): GGWebSocketSchemaBuilder<C2S, S2C> {
  return new GGWebSocketSchemaBuilder<C2S, S2C>(contract, ends);
}

/** Connections past any contract, shared by URL and handshake headers. Prefer `createClient()` in application code. */
export const GGSocketPool = /* @__PURE__ */ new SocketPool(browserPlatform);
