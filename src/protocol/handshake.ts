import { FrameType, parsePayload } from "./frame.js";

/** The server's "accepted" frame, byte for byte as 0.0.39 sends it. */
export const HANDSHAKE_OK_FRAME = "k:::null";

/** The client's first frame: the handshake's headers. */
export function encodeHandshake(headers: Readonly<Record<string, string>>): string {
  return `${FrameType.HANDSHAKE}:::${JSON.stringify(headers)}`;
}

/** The server's refusal; `errorPayload` is the JSON text of an error's public part. */
export function encodeHandshakeError(errorPayload: string): string {
  return `${FrameType.HANDSHAKE_ERROR}:::${errorPayload}`;
}

/** The headers in a handshake's payload: own string members only, and none when the payload is anything but an object. */
export function decodeHandshakeHeaders(payload: string): Record<string, string> {
  const value = parsePayload(payload);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
