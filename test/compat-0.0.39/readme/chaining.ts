// README, "Chaining Middleware".
import { type GGWebSocketMiddleware, webSocketSchema } from "@grest-ts/websocket";
import { AuthMiddleware } from "./auth.js";
import { ChatApiContract } from "./chatApi.js";

export const steps: string[] = [];
const LocaleMiddleware: GGWebSocketMiddleware = {
  updateHandshake: () => void steps.push("locale, client"),
  parseHandshake: () => void steps.push("locale, parse"),
  process: async () => void steps.push("locale, process"),
};
const RateLimitMiddleware: GGWebSocketMiddleware = {
  updateHandshake: () => void steps.push("rate limit, client"),
  parseHandshake: () => void steps.push("rate limit, parse"),
};

export const ChatApi = webSocketSchema(ChatApiContract)
  .path("ws/chat")
  .use(AuthMiddleware)
  .use(LocaleMiddleware)
  .use(RateLimitMiddleware)
  .done();
