/**
 * What a bundler sees under the `browser` condition: contracts and the client. No `ws`, no Node modules.
 *
 * @module
 */
import { browserEnds, browserPlatform } from "./client/browser.js";
import { SocketPool } from "./client/pool.js";
import { GGWebSocketSchemaBuilder } from "./contract/schema.js";
import type { GGSocketContract, GGSocketMethodMap } from "./contract/socketContract.js";

export { freezeContract as defineSocketContract } from "./contract/socketContract.js";
export * from "./shared.js";

/** Begins a schema for a contract: give it a path and middlewares, then call `done()`. */
export function webSocketSchema<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap>(
  contract: GGSocketContract<{ readonly clientToServer: C2S; readonly serverToClient: S2C }>,
): GGWebSocketSchemaBuilder<C2S, S2C> {
  return new GGWebSocketSchemaBuilder(contract, browserEnds);
}

/** Connections past any contract, shared by URL and handshake headers. Prefer `createClient()` in application code. */
export const GGSocketPool = /* @__PURE__ */ new SocketPool(browserPlatform);

/** Groups are the server's; here to let modules of both ends be bundled. Throws when it is made. */
export class GGSocketGroup {
  constructor() {
    throw new Error("GGSocketGroup: a browser serves no connections");
  }
}

/** Serving is the server's; here to let modules of both ends be bundled. Throws when it is made. */
export class GGSocketServer {
  constructor() {
    throw new Error("GGSocketServer: a browser serves no connections");
  }
}
