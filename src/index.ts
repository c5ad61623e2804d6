/**
 * What a Node program imports: contracts, the server and the client.
 *
 * @module websocket
 */

import { CheckedSchemaBuilder } from "./api/definitionChecks.js";
import type { SchemaEnds, WebSocketSchema } from "./api/schema.js";
import { CheckedSocketPool, checkedClient } from "./client/checkedClient.js";
import { nodePlatform } from "./client/platform/node.js";
import type { SocketPool } from "./client/pool.js";
import { startServer } from "./server/startServer.js";

export { defineSocketContract } from "./api/definitionChecks.js";
export { localBus } from "./groups/localBus.js";
export { GGSocketGroup } from "./server/groups/group.js";
export { GGSocketServer } from "./server/socketServer.js";
export * from "./shared.js";

const ends: SchemaEnds = { createClient: checkedClient(nodePlatform), startServer };

/**
 * Begins a schema for a contract: give it a path and middlewares, then call `done()`.
 *
 * @param contract made by `defineSocketContract`
 */
export const webSocketSchema: WebSocketSchema = (contract) => new CheckedSchemaBuilder(contract, ends);

/** Connections past any contract, shared by URL and handshake headers. Prefer `createClient()` in application code. */
export const GGSocketPool: SocketPool = new CheckedSocketPool(nodePlatform);
