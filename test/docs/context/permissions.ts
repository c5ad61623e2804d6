import { GGContextKey } from "@grest-ts/context";
import { GGHttpServer } from "@grest-ts/http";
import { IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

const contract = defineSocketContract("BoardApi", {
  clientToServer: { write: { input: IsString, success: IsString, permission: "board:write" } },
  serverToClient: {},
});
export const BoardApi = webSocketSchema(contract).path("ws/board").done();
export const USER = new GGContextKey("user", IsObject({ id: IsString }));
export const http = new GGHttpServer();
export declare function onConnection(): void;
export declare function scopesOf(id: string): Promise<string[]>;
