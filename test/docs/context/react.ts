import { FORBIDDEN, IsArray, IsBoolean, IsObject, IsString, IsUint } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { createHooks } from "@grest-ts/websocket/react";
import type { ReactElement } from "react";

const IsMessage = IsObject({ id: IsUint, from: IsString, text: IsString });

export const ChatApi = webSocketSchema(
  defineSocketContract("ChatApi", {
    clientToServer: {
      say: { input: IsObject({ text: IsString.nonEmpty }), success: IsUint, errors: [FORBIDDEN] },
      history: { input: IsObject({ limit: IsUint }), success: IsArray(IsMessage) },
    },
    serverToClient: {
      message: { input: IsMessage },
      confirm: { input: IsObject({ question: IsString }), success: IsBoolean },
    },
  }),
)
  .path("ws/chat")
  .done();

export const { SocketProvider, useAnswer, useCall, usePush, usePushState } = createHooks(ChatApi);
export const client = ChatApi.createClient();

export { useState } from "react";

export declare const token: string;
export declare function Chat(): ReactElement;
