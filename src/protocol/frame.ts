/**
 * The wire: one text frame is `type:path:id:json`. Only the first three colons separate. PROTOCOL.md is the norm.
 * Pure functions; nothing here knows of sockets or contracts.
 */

/** The one-letter types of a frame. */
export const FrameType = {
  HANDSHAKE: "h",
  HANDSHAKE_OK: "k",
  HANDSHAKE_ERROR: "x",
  MESSAGE: "m",
  REQUEST: "r",
  REPLY: "s",
} as const;

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

/** Takes a frame apart, or returns `undefined` for text that has no type and path. Missing parts are empty. */
export function decodeFrame(text: string): Frame | undefined {
  const afterType = text.indexOf(":");
  if (afterType < 1) return text === "" ? undefined : { type: text, path: "", id: "", payload: "" };
  const type = text.slice(0, afterType);
  const afterPath = text.indexOf(":", afterType + 1);
  if (afterPath === -1) return { type, path: text.slice(afterType + 1), id: "", payload: "" };
  const path = text.slice(afterType + 1, afterPath);
  const afterId = text.indexOf(":", afterPath + 1);
  if (afterId === -1) return { type, path, id: text.slice(afterPath + 1), payload: "" };
  return { type, path, id: text.slice(afterPath + 1, afterId), payload: text.slice(afterId + 1) };
}

/** Puts a frame together. `json` is JSON text, or empty when there is no payload. */
export function encodeFrame(type: string, path: string, id: string, json: string): string {
  return `${type}:${path}:${id}:${json}`;
}

/** The part of a frame that is the same for every message of one type and path: `m:ChatApi.ping:`. */
export function framePrefix(type: string, path: string): string {
  return `${type}:${path}:`;
}

/** The payload of a frame, or an `Error` when it is not JSON. An empty payload is `undefined`. */
export function parsePayload(payload: string): unknown {
  return payload === "" ? undefined : JSON.parse(payload);
}

/** JSON text for a payload; `undefined` gives the empty text. Throws what `JSON.stringify` throws (a BigInt, a cycle). */
export function stringifyPayload(value: unknown): string {
  return value === undefined ? "" : (JSON.stringify(value) ?? "");
}
