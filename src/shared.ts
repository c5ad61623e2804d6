/** What all entries export. */
export type { GGSocketPoolConfig, SocketPool } from "./client/pool.js";
export type {
  GGReconnectOptions,
  GGReconnectOptions as GGReconnectConfig,
  GGWebSocketClient,
  GGWebSocketClientConfig,
  GGWebSocketClientEnds,
  GGWebSocketCloseReason,
  GGWebSocketDisconnectReason,
  GGWebSocketTarget,
} from "./contract/client.js";
export {
  GG_WS_CONNECTION,
  GG_WS_MESSAGE,
  type GGWebSocketMessage,
  type GGWebSocketMessage as WsMessageContext,
  type WsConnectionContext,
} from "./contract/contextKeys.js";
export type { GGWebSocketLogFields, GGWebSocketLogger } from "./contract/logger.js";
export type {
  GGCallOptions,
  GGGroupCalls,
  GGSocketCallable,
  GGSocketCalls,
  GGSocketHandler,
  GGSocketHandlers,
  GGWebSocketClientIncoming,
  GGWebSocketClientIncoming as GGWebSocketIncoming,
  WebSocketIncoming,
  WebSocketOutgoing,
} from "./contract/methodTypes.js";
export { GGWebSocketMetrics } from "./contract/metrics.js";
export type { GGWebSocketHandshakeContext, GGWebSocketMiddleware } from "./contract/middleware.js";
export type {
  GGSocketConfig,
  SocketAdapter,
  SocketAdapterClass,
  SocketHandlerConfig,
  SocketReply,
} from "./contract/rawSocket.js";
export {
  type GGSchemaMethods,
  GGWebSocketSchema,
  GGWebSocketSchemaBuilder,
  type SchemaContract,
} from "./contract/schema.js";
export type {
  GGConnectionHandler,
  GGConnectionQuery,
  GGDrainOptions,
  GGHeartbeatOptions,
  GGSocketServerConfig,
  GGUpgradeRequest,
  GGWebSocketCapability,
  GGWebSocketLimits,
  WebSocketSchemaConfig,
} from "./contract/server.js";
export type { GGSocketContract, GGSocketContractMethods, GGSocketMethodMap } from "./contract/socketContract.js";
export { CloseCode } from "./protocol/closeCodes.js";
export { GGSocket } from "./raw/socket.js";
