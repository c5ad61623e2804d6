import { GGHttpServer } from "@grest-ts/http";
import { defineSocketContract, type SocketAdapter, webSocketSchema } from "@grest-ts/websocket";

const contract = defineSocketContract("ChatApi", { clientToServer: { hello: {} }, serverToClient: {} });
export const ChatApi = webSocketSchema(contract).path("ws/chat").done();
export const http = new GGHttpServer();
export declare function onConnection(): void;
export declare const adapter: SocketAdapter;
