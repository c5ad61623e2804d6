import { acceptedCapabilities } from "../protocol/capabilities.js";
import { decodeFrame, FrameType, MAX_BATCH_BYTES, SEPARATOR } from "../protocol/frame.js";
import { detached } from "./detached.js";
import type { FailureLog } from "./failures.js";
import { type Carrier, type PayloadReader, resultOf, type Shown } from "./payload.js";
import { REDACTED } from "./redaction.js";
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

/** The longest path and id, together, of a request whose reply is timed. */
const MAX_KEY = 500;

/** What the first part of every batch begins with. No line of a JSON text begins so. */
const FRAME_START = /^[a-z]:[^:\n]*:[^:\n]*:/;

const encoder = new TextEncoder();

/** How frames are read, and who gets them. */
export interface FrameReading {
  /** Shows payloads; absent when none is to be shown. */
  readonly read: PayloadReader | undefined;
  readonly failed: FailureLog;
  onFrame(frame: GGInspectedFrame): void;
}

/** Makes frames of what is seen of one connection. */
export class ConnectionWatch implements TapListener {
  readonly #tapped: Tapped;
  readonly #read: PayloadReader | undefined;
  readonly #onFrame: FrameReading["onFrame"];
  readonly #failed: FailureLog;
  /** When requests and the handshake were seen, by the way that their answers go, path and id. */
  readonly #pending = new Map<string, number>();
  /** Whether batches were agreed on; `undefined` when the handshake was not seen. */
  #isBatching: boolean | undefined;

  constructor(tapped: Tapped, { read, onFrame, failed }: FrameReading) {
    this.#tapped = tapped;
    this.#read = read;
    this.#onFrame = (frame) => onFrame(frozen(frame));
    this.#failed = failed;
    if (tapped.isNew) this.#isBatching = false;
  }

  onText(direction: Direction, text: string): void {
    const parts = this.#isBatch(text) ? text.split(SEPARATOR) : [text];
    const size = parts.length;
    for (const [index, part] of parts.entries()) {
      try {
        this.#see(direction, part, size > 1 ? { index, size } : undefined);
      } catch (error) {
        // What is inspected must not notice.
        this.#failed("reading of a frame", error);
      }
    }
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
      ...(kind !== "unknown" && path && { path: detached(path.slice(0, MAX_NAME)) }),
      ...(kind !== "unknown" && id && { id: detached(id.slice(0, MAX_NAME)) }),
      bytes: encoder.encode(text).length,
      ...(batch && { batch }),
      ...(ms !== undefined && { ms }),
      ...(result !== undefined && { result }),
      ...(kind !== "unknown" && this.#shown({ kind, path, payload, direction, side: this.#tapped.side })),
    });
  }

  /** What is shown of a payload. Where reading it fails, it may have anything in it. */
  #shown(carrier: Carrier): Shown | undefined {
    try {
      return this.#read?.(carrier);
    } catch (error) {
      this.#failed("redaction", error);
      return { payload: REDACTED };
    }
  }

  /** Notes what is to be answered, and returns how long an answer took. */
  #time(kind: GGFrameKind, asked: string, answered: string): number | undefined {
    const pending = this.#pending;
    if (kind === "request" || kind === "handshake") {
      const key = kind === "request" ? asked : HANDSHAKE;
      if (key.length > MAX_KEY) return undefined;
      if (pending.size >= MAX_PENDING) pending.delete(pending.keys().next().value as string);
      pending.set(key, performance.now());
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

/** A value that is frozen at every level: several functions get the same. */
function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const member of Object.values(value)) frozen(member);
  return Object.freeze(value);
}
