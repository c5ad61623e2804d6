import { GGContextKey } from "@grest-ts/context";
import { GGHttpServer } from "@grest-ts/http";
import { IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

export { NOT_AUTHORIZED } from "@grest-ts/schema";
export type { GGWebSocketHandshakeContext, GGWebSocketMiddleware } from "@grest-ts/websocket";

const contract = defineSocketContract("NotesApi", {
  clientToServer: { whoAmI: { success: IsString } },
  serverToClient: {},
});
export const NotesApi = webSocketSchema(contract).path("ws/notes").done();
export const IsUser = IsObject({ id: IsString, name: IsString });
export const TOKEN = new GGContextKey("token", IsString);
export const USER = new GGContextKey("user", IsUser);
export const client = NotesApi.createClient();
export const http = new GGHttpServer();
export declare function onConnection(): void;
export declare function freshToken(): Promise<string>;
export declare function tokenOf(name: string): Promise<string>;
export declare function showLogIn(sentence: string | undefined): void;
export declare function currentToken(): string | undefined;
