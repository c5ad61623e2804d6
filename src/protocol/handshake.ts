import { encodeFrame, FrameType } from "./frame.js";

/** The server's "accepted" frame, byte for byte as 0.0.39 sends it. */
export const HANDSHAKE_OK_FRAME = /* @__PURE__ */ encodeFrame(FrameType.HANDSHAKE_OK, "", "", "null");

/** The client's first frame: the handshake's headers. */
export function encodeHandshake(headers: Readonly<Record<string, string>>): string {
  return encodeFrame(FrameType.HANDSHAKE, "", "", JSON.stringify(headers));
}

/** The server's refusal; `errorPayload` is the JSON text of an error's public part. */
export function encodeHandshakeError(errorPayload: string): string {
  return encodeFrame(FrameType.HANDSHAKE_ERROR, "", "", errorPayload);
}

/** The headers in a handshake's payload: own string members only, and none when the payload is anything but an object. */
export function decodeHandshakeHeaders(payload: string): Record<string, string> {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch {
    return {};
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
