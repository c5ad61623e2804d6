// README, "Schema Builder".
import { webSocketSchema } from "@grest-ts/websocket";
import { AuthMiddleware } from "./auth.js";
import { ChatApiContract } from "./chatApi.js";

export const ChatApi = webSocketSchema(ChatApiContract)
  .path("ws/chat") // WebSocket endpoint path
  .use(AuthMiddleware) // Add middleware (can chain multiple)
  .queryOnConnect<{ room: string }>() // Validate query params on connect
  .done(); // Finalize the schema
