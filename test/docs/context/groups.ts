import type { GGContextKey } from "@grest-ts/context";
import type { GGHttpServer } from "@grest-ts/http";
import { IsObject, IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  type GGSocketGroup,
  type WebSocketIncoming,
  type WebSocketOutgoing,
  webSocketSchema,
} from "@grest-ts/websocket";

const contract = defineSocketContract("ChatApi", {
  clientToServer: { say: { input: IsObject({ text: IsString.nonEmpty }), success: IsString } },
  serverToClient: {
    message: { input: IsObject({ from: IsString, text: IsString.nonEmpty }) },
    typing: { input: IsObject({ from: IsString }) },
  },
});

export const ChatApi = webSocketSchema(contract).path("ws/chat").done();

export declare const USER: GGContextKey<{ readonly id: string }>;
export declare const http: GGHttpServer;
export declare const room: GGSocketGroup<typeof contract.methods.serverToClient>;
export declare function onConnection(
  incoming: WebSocketIncoming<typeof contract.methods.clientToServer>,
  outgoing: WebSocketOutgoing<typeof contract.methods.serverToClient>,
): void;
