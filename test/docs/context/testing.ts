import { IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import type { GGSocketTester } from "@grest-ts/websocket/testkit";

export { callOn } from "@grest-ts/websocket/testkit";
export { test } from "vitest";

const contract = defineSocketContract("ChatApi", {
  clientToServer: { say: { input: IsObject({ text: IsString.nonEmpty }) } },
  serverToClient: { message: { input: IsObject({ from: IsString, text: IsString }) } },
});

export const ChatApi = webSocketSchema(contract).path("ws/chat").done();

export declare const ann: GGSocketTester<
  typeof contract.methods.clientToServer,
  typeof contract.methods.serverToClient
>;
