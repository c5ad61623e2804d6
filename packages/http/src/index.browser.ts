export { type GGHttpRegisterConfig, GGHttpSchema } from "./api/GGHttpSchema.js";
export { type GGHttpMethod, type GGHttpRoute, GGRpc } from "./api/GGRpc.js";
export { GGHttpSchemaBuilder, httpSchema } from "./api/httpSchema.js";
export { GG_HTTP_SERVER, GG_PERMISSIONS, type GGScopeResolver } from "./api/keys.js";
export type {
  GGHttpRequest,
  GGHttpResponse,
  GGHttpServerMiddleware,
  GGHttpTransportMiddleware,
} from "./api/middleware.js";
export type { GGHttpClientConfig } from "./client/createHttpClient.js";
export type { GGCorsConfig } from "./server/cors.js";
export type { GGHttpServer, GGHttpServerConfig } from "./server/GGHttpServer.js";
export type {
  GGHttpRouteHandler,
  GGPermissionedMethods,
  GGRegisteredHttpSchema,
  GGRegisteredWebSocketSchema,
} from "./server/types.js";
