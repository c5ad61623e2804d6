import { CAPABILITIES_MEMBER } from "./capabilities.js";
import { excessOf, MAX_DEPTH } from "./depth.js";
import { FrameType, parsePayload } from "./frame.js";

/** The client's first frame: the handshake's headers, and the names of what it can do beyond 0.0.39. */
export function encodeHandshake(
  headers: Readonly<Record<string, string>>,
  capabilities: readonly string[] = [],
): string {
  const announced = capabilities.join(" ") || undefined;
  return `${FrameType.HANDSHAKE}:::${JSON.stringify({ ...headers, [CAPABILITIES_MEMBER]: announced })}`;
}

/** The server's "accepted"; byte for byte as 0.0.39 sends it to a client that announced nothing. */
export function encodeHandshakeOk(capabilities: string): string {
  return `${FrameType.HANDSHAKE_OK}:::${JSON.stringify(capabilities ? { [CAPABILITIES_MEMBER]: capabilities } : null)}`;
}

/** The server's refusal; `errorPayload` is the JSON text of an error's public part. */
export function encodeHandshakeError(errorPayload: string): string {
  return `${FrameType.HANDSHAKE_ERROR}:::${errorPayload}`;
}

/**
 * The headers in a handshake's payload: own string members only, and none when the payload is anything but an object.
 */
export function decodeHandshakeHeaders(payload: string): Record<string, string> {
  const value = excessOf(payload, MAX_DEPTH) ? undefined : parsePayload(payload);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
