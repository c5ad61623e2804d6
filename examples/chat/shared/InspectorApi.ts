import { IsArray, IsLiteral, IsNumber, IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

/** A frame as `@grest-ts/websocket/inspect` shows it; its payload as text. */
export const IsFrame = IsObject({
  at: IsNumber,
  connection: IsString,
  direction: IsLiteral("sent", "received"),
  kind: IsString,
  path: IsString.orUndefined,
  id: IsString.orUndefined,
  bytes: IsNumber,
  batch: IsObject({ index: IsNumber, size: IsNumber }).orUndefined,
  ms: IsNumber.orUndefined,
  result: IsString.orUndefined,
  code: IsNumber.orUndefined,
  reason: IsString.orUndefined,
  payload: IsString.orUndefined,
  message: IsString.orUndefined,
  /** Whether it shows that something failed. */
  failed: IsLiteral(true).orUndefined,
});
export type Frame = typeof IsFrame.infer;

export const InspectorApiContract = defineSocketContract("InspectorApi", {
  clientToServer: {
    /** What is kept: the latest frames of all connections. */
    recent: { success: IsArray(IsFrame) },
  },
  serverToClient: {
    /** What was seen since the last time. */
    frames: { input: IsArray(IsFrame) },
  },
});

/** Live traffic of the chat, for those who develop it. */
export const InspectorApi = webSocketSchema(InspectorApiContract)
  .path("ws/inspect")
  // The key of the page's own address.
  .queryOnConnect(IsObject({ key: IsString }))
  .done();
