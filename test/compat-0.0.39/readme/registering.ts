// README, "Registering the WebSocket Server" and "Multiple WebSocket APIs".
import { GGHttp, GGHttpServer, GGRpc, httpSchema } from "@grest-ts/http";
import { GGContractClass, IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  type GGSocketServer,
  type GGWebSocketMiddleware,
  type WebSocketIncoming,
  webSocketSchema,
} from "@grest-ts/websocket";
import { ChatService } from "./chatService.js";
import { ChatApi } from "./schemaBuilder.js";

const PublicApi = httpSchema(new GGContractClass("PublicApi", { hello: { success: IsString } }))
  .pathPrefix("api")
  .routes({ hello: GGRpc.GET("hello") });
const publicService = { hello: async () => "hello" };

const whichOne = { clientToServer: { which: { success: IsString } }, serverToClient: {} };
export const NotificationApi = webSocketSchema(defineSocketContract("NotificationApi", whichOne))
  .path("ws/notifications")
  .done();
export const PresenceApi = webSocketSchema(defineSocketContract("PresenceApi", whichOne)).path("ws/presence").done();
const says = (name: string) => ({
  handleConnection: (incoming: WebSocketIncoming<typeof whichOne.clientToServer>): void =>
    incoming.on({ which: async () => name }),
});
const notificationService = says("notifications");
const presenceService = says("presence");
const chatService = new ChatService();

/** "Using register() (Recommended)" */
export class RegisterRuntime {
  protected compose(): void {
    const httpServer = new GGHttpServer();

    // HTTP APIs
    new GGHttp(httpServer).http(PublicApi, publicService);

    // WebSocket API on the same HTTP server
    ChatApi.register(chatService.handleConnection, { http: httpServer });
  }
}

/** "Using startServer() (Direct)" */
export function direct(httpServer: GGHttpServer, additionalMiddleware: GGWebSocketMiddleware): GGSocketServer {
  const socketServer = ChatApi.startServer(chatService.handleConnection, {
    http: httpServer,
    middlewares: [additionalMiddleware], // Optional extra middlewares
  });
  return socketServer;
}

/** "Multiple WebSocket APIs" */
export class MultipleRuntime {
  protected compose(): void {
    const httpServer = new GGHttpServer();

    // Multiple WebSocket APIs on the same server
    ChatApi.register(chatService.handleConnection, { http: httpServer });
    NotificationApi.register(notificationService.handleConnection, { http: httpServer });
    PresenceApi.register(presenceService.handleConnection, { http: httpServer });
  }
}
