import { GGContextKey } from "@grest-ts/context";
import { GGHttpServer } from "@grest-ts/http";
import { ERROR, IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

export { GGContext, GGContextKey } from "@grest-ts/context";
export type { GGHttpRequest, GGHttpTransportMiddleware } from "@grest-ts/http";
export { IsString, NOT_AUTHORIZED } from "@grest-ts/schema";
export {
  GG_WS_CONNECTION,
  type GGWebSocketHandshakeContext,
  type GGWebSocketMiddleware,
} from "@grest-ts/websocket";

const contract = defineSocketContract("NotesApi", {
  clientToServer: { whoAmI: { success: IsString } },
  serverToClient: {},
});
export const NotesApi = webSocketSchema(contract).path("ws/notes").done();
export const IsUser = IsObject({ id: IsString, name: IsString });
export const TOKEN = new GGContextKey("token", IsString);
export const USER = new GGContextKey("user", IsUser);
export const OUTDATED = ERROR.define("OUTDATED", 400);
export const client = NotesApi.createClient();
export const http = new GGHttpServer();
export declare function onConnection(): void;
export declare function freshToken(): Promise<string>;
export declare function tokenOf(name: string): Promise<string>;
export declare function showLogIn(sentence: string | undefined): void;
export declare function currentToken(): string | undefined;
