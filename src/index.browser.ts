/**
 * What a bundler sees under the `browser` condition: contracts and the client. No `ws`, no Node modules.
 *
 * @module
 */

import { GGWebSocketSchemaBuilder, type WebSocketSchema } from "./api/schema.js";
import { browserEnds, browserPlatform } from "./client/platform/browser.js";
import { SocketPool } from "./client/pool.js";

export { freezeContract as defineSocketContract } from "./api/contract.js";
export * from "./shared.js";

/** Begins a schema for a contract: give it a path and middlewares, then call `done()`. */
export const webSocketSchema: WebSocketSchema = (contract) => new GGWebSocketSchemaBuilder(contract, browserEnds);

/** Connections past any contract, shared by URL and handshake headers. Prefer `createClient()` in application code. */
export const GGSocketPool = /* @__PURE__ */ new SocketPool(browserPlatform);

/** Groups are the server's; here to let modules of both ends be bundled. Throws when it is made. */
export class GGSocketGroup {
  constructor() {
    throw new Error("GGSocketGroup: a browser serves no connections");
  }
}

/** Buses are the servers'; here to let modules of both ends be bundled. Throws. */
export function localBus(): never {
  throw new Error("localBus: a browser serves no connections");
}

/** Serving is the server's; here to let modules of both ends be bundled. Throws when it is made. */
export class GGSocketServer {
  constructor() {
    throw new Error("GGSocketServer: a browser serves no connections");
  }
}
