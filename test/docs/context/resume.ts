import { IsArray, IsObject, IsString, IsUint } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

export { resumeGroups } from "@grest-ts/websocket";

const IsMessage = IsObject({ id: IsString, time: IsUint, text: IsString });
export type Message = typeof IsMessage.infer;

const contract = defineSocketContract("ChatApi", {
  clientToServer: { latest: { success: IsArray(IsMessage) } },
  serverToClient: { newMessage: { input: IsMessage } },
});

export const ChatApi = webSocketSchema(contract).path("ws/chat").done();

export declare const url: string;
export declare const banner: { show(text: string): void };
export declare const shown: Map<string, Message>;
export declare function render(messages: readonly Message[]): void;
