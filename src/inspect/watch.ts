import { acceptedCapabilities } from "../protocol/capabilities.js";
import { decodeFrame, FrameType, MAX_BATCH_BYTES, SEPARATOR } from "../protocol/frame.js";
import { type PayloadReader, resultOf } from "./payload.js";
import type { Direction, TapListener, Tapped } from "./tap.js";
import type { GGFrameKind, GGInspectedFrame } from "./types.js";

const KINDS: Readonly<Record<string, GGFrameKind>> = {
  [FrameType.HANDSHAKE]: "handshake",
  [FrameType.HANDSHAKE_OK]: "accepted",
  [FrameType.HANDSHAKE_ERROR]: "refused",
  [FrameType.MESSAGE]: "message",
  [FrameType.REQUEST]: "request",
  [FrameType.REPLY]: "reply",
  [FrameType.PING]: "ping",
  [FrameType.PONG]: "pong",
  [FrameType.CANCEL]: "cancel",
  [FrameType.DRAIN]: "drain",
  [FrameType.GROUP]: "group",
};

/** How much of a path and an id is shown: either is the peer's text. */
const MAX_NAME = 200;

/** Requests whose reply is awaited, at most: a peer may leave all unanswered. */
const MAX_PENDING = 1_000;

/** What the first part of every batch begins with. No line of a JSON text begins so. */
const FRAME_START = /^[a-z]:[^:\n]*:[^:\n]*:/;

const encoder = new TextEncoder();

/** Makes frames of what is seen of one connection. */
export class ConnectionWatch implements TapListener {
  readonly #tapped: Tapped;
  readonly #read: PayloadReader | undefined;
  readonly #onFrame: (frame: GGInspectedFrame) => void;
  /** When requests and the handshake were seen, by the way that their answers go, path and id. */
  readonly #pending = new Map<string, number>();
  /** Whether batches were agreed on; `undefined` when the handshake was not seen. */
  #isBatching: boolean | undefined;

  constructor(tapped: Tapped, read: PayloadReader | undefined, onFrame: (frame: GGInspectedFrame) => void) {
    this.#tapped = tapped;
    this.#read = read;
    this.#onFrame = onFrame;
    if (tapped.isNew) this.#isBatching = false;
  }

  onText(direction: Direction, text: string): void {
    const parts = this.#isBatch(text) ? text.split(SEPARATOR) : [text];
    const size = parts.length;
    for (const [index, part] of parts.entries()) this.#see(direction, part, size > 1 ? { index, size } : undefined);
  }

  onClosed(direction: Direction, code: number, reason: string): void {
    this.#onFrame({ ...this.#basics(direction, "close"), bytes: 0, code, ...(reason && { reason }) });
  }

  #basics(direction: Direction, kind: GGFrameKind) {
    const { side, id: connection } = this.#tapped;
    return { at: Date.now(), side, connection, direction, kind };
  }

  #see(direction: Direction, text: string, batch: GGInspectedFrame["batch"]): void {
    const { type, path, id, payload } = decodeFrame(text);
    const kind = Object.hasOwn(KINDS, type) ? (KINDS[type] as GGFrameKind) : "unknown";
    const isAnswer = kind === "reply" || kind === "accepted" || kind === "refused";
    const ms = this.#time(
      kind,
      `${direction}:${path}:${id}`,
      `${direction === "sent" ? "received" : "sent"}:${path}:${id}`,
    );
    if (kind === "accepted") this.#isBatching = acceptedCapabilities(payload, ["batch"]).has("batch");
    const result = isAnswer && kind !== "accepted" ? resultOf(payload) : undefined;
    this.#onFrame({
      ...this.#basics(direction, kind),
      ...(kind !== "unknown" && path && { path: path.slice(0, MAX_NAME) }),
      ...(kind !== "unknown" && id && { id: id.slice(0, MAX_NAME) }),
      bytes: encoder.encode(text).length,
      ...(batch && { batch }),
      ...(ms !== undefined && { ms }),
      ...(result !== undefined && { result }),
      ...(kind !== "unknown" && this.#read?.({ kind, path, payload, direction, side: this.#tapped.side })),
    });
  }

  /** Notes what is to be answered, and returns how long an answer took. */
  #time(kind: GGFrameKind, asked: string, answered: string): number | undefined {
    const pending = this.#pending;
    if (kind === "request" || kind === "handshake") {
      if (pending.size >= MAX_PENDING) pending.delete([...pending.keys()][0] as string);
      pending.set(kind === "request" ? asked : HANDSHAKE, performance.now());
      return undefined;
    }
    const key = kind === "reply" ? answered : kind === "accepted" || kind === "refused" ? HANDSHAKE : undefined;
    const since = key === undefined ? undefined : pending.get(key);
    if (key === undefined || since === undefined) return undefined;
    pending.delete(key);
    return Math.round((performance.now() - since) * 1_000) / 1_000;
  }

  /** As the receiver takes it; by its form where neither the handshake nor the connection shows what was agreed on. */
  #isBatch(text: string): boolean {
    if (text.length > MAX_BATCH_BYTES || !text.includes(SEPARATOR)) return false;
    const isAgreed = this.#isBatching ?? this.#tapped.canBatch();
    return isAgreed ?? text.split(SEPARATOR).every((part) => FRAME_START.test(part));
  }
}

const HANDSHAKE = "handshake";
