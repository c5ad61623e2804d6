/**
 * The wire: one text frame is `type:path:id:json`. Only the first three colons separate. PROTOCOL.md is the norm.
 * Pure functions; nothing here knows of sockets or contracts.
 */

/** The one-letter types of a frame. */
export enum FrameType {
  HANDSHAKE = "h",
  HANDSHAKE_OK = "k",
  HANDSHAKE_ERROR = "x",
  MESSAGE = "m",
  REQUEST = "r",
  REPLY = "s",
}

/** A frame taken apart. The payload is still text: who may not call a method costs no parsing. */
export interface Frame {
  readonly type: string;
  /** `Api.method`, or empty in a handshake. */
  readonly path: string;
  /** Chosen by the sender of a request, echoed in the reply. */
  readonly id: string;
  /** JSON text; empty when there is no payload. */
  readonly payload: string;
}

/** Takes a frame apart. What is missing is empty. */
export function decodeFrame(text: string): Frame {
  const afterType = colon(text, 0);
  const afterPath = colon(text, afterType + 1);
  const afterId = colon(text, afterPath + 1);
  return {
    type: text.slice(0, afterType),
    path: text.slice(afterType + 1, afterPath),
    id: text.slice(afterPath + 1, afterId),
    payload: text.slice(afterId + 1),
  };
}

/** JSON text for a payload; `undefined` gives the empty text. Throws what `JSON.stringify` throws (a BigInt, a cycle). */
export function stringifyPayload(value: unknown): string {
  return JSON.stringify(value) ?? "";
}

/** What a payload says; `undefined` when it is empty or not JSON (no JSON text means `undefined`). */
export function parsePayload(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}

function colon(text: string, from: number): number {
  const at = text.indexOf(":", from);
  return at < 0 ? text.length : at;
}
