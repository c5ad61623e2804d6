/** What all entries export. */

export {
  type GGBus,
  GGBusError,
  type GGBusErrorReason,
  type GGBusHealth,
  type GGBusListener,
  type GGBusMembers,
  type GGBusMessage,
  type GGBusRead,
  type GGBusSubscription,
  type GGHistory,
  type GGMemberList,
  type GGMembersChange,
  type GGPosition,
  type GGPublishOptions,
} from "./api/bus.js";
export type {
  ClientState,
  ClientStateDetail,
  GGReconnectOptions,
  GGReconnectOptions as GGReconnectConfig,
  GGWebSocketClient,
  GGWebSocketClientConfig,
  GGWebSocketClientEnds,
  GGWebSocketCloseReason,
  GGWebSocketDisconnectReason,
  GGWebSocketTarget,
} from "./api/client.js";
export type { ConnectOptions, WebSocketClass, WebSocketLike } from "./api/connectOptions.js";
export {
  GG_WS_CONNECTION,
  GG_WS_MESSAGE,
  type GGWebSocketMessage,
  type GGWebSocketMessage as WsMessageContext,
  type WsConnectionContext,
} from "./api/contextKeys.js";
export type {
  GGSocketContract,
  GGSocketContractMethods,
  GGSocketMethod,
  GGSocketMethodDocs,
  GGSocketMethodMap,
  GGSocketMethodSchema,
} from "./api/contract.js";
export { failureOf, type SocketFailure, type SocketFailureReason } from "./api/failure.js";
export type { GGGroupJoin, GGSocketGroupMembers, GGSocketGroupOptions } from "./api/group.js";
export type { GGWebSocketLogFields, GGWebSocketLogger } from "./api/logger.js";
export type {
  GGCallOptions,
  GGGroupCallable,
  GGGroupCallOptions,
  GGGroupCalls,
  GGSocketCallable,
  GGSocketCalls,
  GGSocketHandler,
  GGSocketHandlers,
  GGWebSocketClientIncoming,
  GGWebSocketClientIncoming as GGWebSocketIncoming,
  WebSocketIncoming,
  WebSocketOutgoing,
} from "./api/methodTypes.js";
export { GGWebSocketMetrics } from "./api/metrics.js";
export type { GGHandshakeRequest, GGWebSocketHandshakeContext, GGWebSocketMiddleware } from "./api/middleware.js";
export type { GGPresenceChange, GGPresenceInfo } from "./api/presence.js";
export type {
  GGSocketConfig,
  SocketAdapter,
  SocketAdapterClass,
  SocketHandlerConfig,
  SocketReply,
} from "./api/rawSocket.js";
export type { GGGroupEvent, GGResume, GGResumeOptions } from "./api/resume.js";
export {
  type GGSchemaMethods,
  GGWebSocketSchema,
  GGWebSocketSchemaBuilder,
  type SchemaContract,
} from "./api/schema.js";
export { sentenceOf } from "./api/sentence.js";
export type {
  GGCloseOptions,
  GGConnectionHandler,
  GGConnectionQuery,
  GGDrainOptions,
  GGHeartbeatOptions,
  GGKeyRevocation,
  GGNodeServer,
  GGSocketServerConfig,
  GGUpgradeRequest,
  GGWebSocketLimits,
  WebSocketSchemaConfig,
} from "./api/server.js";
export type { AnyValidator, StandardIssue, StandardResult, StandardSchemaV1 } from "./api/standardSchema.js";
export type { Unsubscribe } from "./api/unsubscribe.js";
export type { GGSocketPoolConfig, SocketPool } from "./client/pool.js";
export { resumeGroups } from "./client/resume.js";
export { GGSocket } from "./connection/raw/rawSocket.js";
export type { GGWebSocketCapability } from "./protocol/capabilities.js";
export { CloseCode } from "./protocol/closeCodes.js";
