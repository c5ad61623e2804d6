import type { Server } from "node:http";
import type { GGHttpServer } from "@grest-ts/http";
import { defineSocketContract, type GGSocketServer, webSocketSchema } from "@grest-ts/websocket";

const contract = defineSocketContract("AppApi", { clientToServer: {}, serverToClient: {} });

export const AppApi = webSocketSchema(contract).path("ws/app").done();

export declare const http: GGHttpServer;
export declare const nodeServer: Server;
export declare const server: GGSocketServer;
export declare function onConnection(): void;
