/**
 * The wire: one text frame is `type:path:id:json`. Only the first three colons separate. PROTOCOL.md specifies it.
 * Pure functions; nothing here depends on sockets or contracts.
 */

/** The one-letter types of a frame. */
export enum FrameType {
  HANDSHAKE = "h",
  HANDSHAKE_OK = "k",
  HANDSHAKE_ERROR = "x",
  MESSAGE = "m",
  REQUEST = "r",
  REPLY = "s",
  // The rest only between peers that both announced the capability; others ignore them.
  PING = "p",
  PONG = "o",
  CANCEL = "c",
  DRAIN = "d",
  GROUP = "g",
}

/** A decoded frame. The payload is still text: a call without permission costs no parsing. */
export interface Frame {
  readonly type: string;
  /** `Api.method`, or empty in a handshake. */
  readonly path: string;
  /** Chosen by the sender of a request, echoed in the reply. */
  readonly id: string;
  /** JSON text; empty when there is no payload. */
  readonly payload: string;
}

/** Decodes a frame; missing parts are empty. */
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

/** Between the messages of a batch. Neither JSON text nor a path nor an id holds one. */
export const SEPARATOR = "\n";

/** The most that a batch may have, in bytes: far below any payload limit, far above what one tick sends. */
export const MAX_BATCH_BYTES = 65_536;

/** 16 MiB, the largest message in bytes, in either direction. `ws` alone would take 100 MiB. */
export const MAX_PAYLOAD = 16 * 1024 * 1024;

/** JSON text for a payload; `undefined` gives the empty text. Throws what `JSON.stringify` throws (a BigInt, a cycle). */
export function stringifyPayload(value: unknown): string {
  return JSON.stringify(value) ?? "";
}

/** A frame of its prefix and its payload. Throws when the peer would close the connection over its size. */
export function sizedFrame(prefix: string, payload: string): string {
  const frame = prefix + payload;
  // A UTF-16 unit becomes three bytes at most, so that few frames need counting.
  if (frame.length > MAX_PAYLOAD / 3 && byteLength(frame) > MAX_PAYLOAD) {
    throw new RangeError("it is larger than 16 MiB");
  }
  return frame;
}

/** How many bytes a text has in UTF-8. */
export function byteLength(text: string): number {
  return new Blob([text]).size;
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
