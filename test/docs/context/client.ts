import { IsArray, IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

export { readFileSync } from "node:fs";

const contract = defineSocketContract("ChatApi", {
  clientToServer: {
    join: { input: IsObject({ room: IsString }), success: IsString },
    search: { input: IsObject({ text: IsString }), success: IsArray(IsString) },
    startTyping: {},
  },
  serverToClient: {},
});

export const ChatApi = webSocketSchema(contract).path("ws/chat").done();
export const client = ChatApi.createClient();
export declare const url: string;
export declare const banner: { show(text: string): void; hide(): void };
export declare function show(value: unknown): void;
