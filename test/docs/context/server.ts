import { GGContextKey } from "@grest-ts/context";
import { GGHttpServer } from "@grest-ts/http";
import { IsBoolean, IsNumber, IsObject, IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  type WebSocketIncoming,
  type WebSocketOutgoing,
  webSocketSchema,
} from "@grest-ts/websocket";

export { createServer } from "node:http";

export const ChatApiContract = defineSocketContract("ChatApi", {
  clientToServer: {
    say: { input: IsObject({ text: IsString }), success: IsNumber },
    startTyping: {},
  },
  serverToClient: {
    typing: { input: IsObject({ from: IsString }) },
    areYouThere: { success: IsBoolean },
  },
});
export const ChatApi = webSocketSchema(ChatApiContract)
  .path("ws/chat")
  .queryOnConnect(IsObject({ room: IsString }))
  .done();

export const USER = new GGContextKey("user", IsObject({ id: IsString }));
export const http = new GGHttpServer();
export declare const outgoing: WebSocketOutgoing<typeof ChatApiContract.methods.serverToClient>;
export declare function onConnection(
  incoming: WebSocketIncoming<typeof ChatApiContract.methods.clientToServer>,
  outgoing: WebSocketOutgoing<typeof ChatApiContract.methods.serverToClient>,
): void;
export declare function loadRoom(name: string): Promise<{ add(text: string): number }>;
export declare const database: { close(): Promise<void> };
type Log = (fields: object | undefined, message: string) => void;
export declare const pino: { readonly debug: Log; readonly info: Log; readonly warn: Log; readonly error: Log };
export declare function show(value: unknown): void;
