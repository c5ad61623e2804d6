import { IsString } from "@grest-ts/schema";
import { defineSocketContract } from "@grest-ts/websocket";

export { IsNumber, IsObject, IsString } from "@grest-ts/schema";
export { webSocketSchema } from "@grest-ts/websocket";

export const contract = defineSocketContract("RoomApi", {
  clientToServer: { say: { input: IsString } },
  serverToClient: {},
});

export declare function show(...values: readonly unknown[]): void;
