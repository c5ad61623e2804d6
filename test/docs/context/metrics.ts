import type { GGLocatorScope } from "@grest-ts/locator";
import { IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

const contract = defineSocketContract("ChatApi", {
  clientToServer: { echo: { input: IsString, success: IsString } },
  serverToClient: {},
});

export const ChatApi = webSocketSchema(contract).path("ws/chat").done();
export declare const onConnection: Parameters<typeof ChatApi.register>[0];

export declare const scope: GGLocatorScope;
export declare function startApp(): Promise<void>;

type Write = (fields: unknown, message: string) => void;
export declare const log: { debug: Write; info: Write; warn: Write; error: Write };
