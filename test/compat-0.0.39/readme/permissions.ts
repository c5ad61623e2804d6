// README, "Permissions".
import { GG_NO_PERMISSIONS, IsString } from "@grest-ts/schema";
import { defineSocketContract, type WebSocketIncoming, webSocketSchema } from "@grest-ts/websocket";
import { AuthMiddleware } from "./auth.js";

const ChatApiContract = defineSocketContract("ChatApi", {
  clientToServer: {
    sendMessage: { input: IsString, success: IsString, permission: "chat:write" },
    hello: { success: IsString, permission: GG_NO_PERMISSIONS },
  },
  serverToClient: {},
});

export const ChatApi = webSocketSchema(ChatApiContract)
  .path("ws/chat")
  .use(AuthMiddleware)
  .connectPermission("chat:open")
  .done();

export function handleConnection(incoming: WebSocketIncoming<typeof ChatApiContract.methods.clientToServer>): void {
  incoming.on({ sendMessage: async (text) => `sent ${text}`, hello: async () => "hello" });
}

const chatService = { handleConnection };

export function register(getScopes: () => ReadonlySet<string> | null): void {
  ChatApi.register(chatService.handleConnection, {
    permissionResolver: getScopes, // () => ReadonlySet<string> | null | Promise<...>
  });
}
