import { IsNumber, IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, type GGSocketServer, webSocketSchema } from "@grest-ts/websocket";

export { createWriteStream } from "node:fs";
export { IsObject, IsString } from "@grest-ts/schema";
export { GGSocketGroup } from "@grest-ts/websocket";
export { consoleSink, inspect, isFailure, jsonLines } from "@grest-ts/websocket/inspect";
export { z } from "zod";

const contract = defineSocketContract("ChatApi", {
  clientToServer: { sendMessage: { input: IsObject({ text: IsString }), success: IsString } },
  serverToClient: {},
});
const inspectorContract = defineSocketContract("InspectorApi", {
  clientToServer: {},
  serverToClient: {
    frame: { input: IsObject({ at: IsNumber, kind: IsString, path: IsString.orUndefined }) },
    denied: {},
  },
});

export const ChatApi = webSocketSchema(contract).path("ws/chat").done();
export const InspectorApi = webSocketSchema(inspectorContract).path("ws/inspect").done();
export const client = ChatApi.createClient();
export declare const server: GGSocketServer;
export declare function isAdmin(): boolean;
