import { type Envelope, envelope } from "./frames.js";

/** Sends a message to the other process: `process.send`, or that of a worker. */
export type Send = (message: Envelope, onSent: (error: Error | null) => void) => unknown;

/** A frame on its way to the other process. */
export interface Outgoing {
  readonly frame: object;
  /** How many characters its texts have together. */
  readonly size: number;
  /** Is called when the frame goes to the system, which it does unless this returns false. */
  readonly onSend?: () => boolean;
  /** Is called, with a sentence on why, when the frame cannot be carried: the other process does not get it. */
  readonly onRefused?: (why: string) => void;
}

/** How many characters travel together at most, unless one frame has more. */
const MAX_ENVELOPE = 4 * 1024 * 1024;

/** How many characters a frame has at most: a string has room for it even if each one has to be escaped. */
export const MAX_FRAME = 64 * 1024 * 1024;

/** What a frame has besides its texts, about. */
const OVERHEAD = 100;

/**
 * One direction between two processes. What comes in one tick goes out together, cut into envelopes; while the other process
 * has not taken one, the rest waits.
 */
export class Pipe {
  readonly #send: Send;
  #waiting: Outgoing[] = [];
  #backlog = 0;
  #underWay = 0;
  /** Is called when everything has been handed over. */
  onEmpty: () => void = () => {};

  constructor(send: Send) {
    this.#send = send;
  }

  /** How many characters wait: those of this tick, and more while the other process is slow. */
  get backlog(): number {
    return this.#backlog;
  }

  push(outgoing: Outgoing): void {
    this.#waiting.push(outgoing);
    this.#backlog += outgoing.size + OVERHEAD;
    // Where more than one waits, or one is under way, the rest follows.
    if (this.#waiting.length === 1 && this.#underWay === 0) process.nextTick(() => this.#goOn());
  }

  /** Sends what waits at once, also while the other process is slow: the last of it. */
  flush(): void {
    while (this.#waiting.length > 0) this.#transmit(this.#takeSome());
  }

  /** Drops what waits. */
  clear(): void {
    this.#waiting = [];
    this.#backlog = 0;
  }

  #goOn(): void {
    if (this.#underWay > 0) return;
    const hadSome = this.#waiting.length > 0;
    while (this.#underWay === 0 && this.#waiting.length > 0) this.#transmit(this.#takeSome());
    if (hadSome && this.#underWay === 0) this.onEmpty();
  }

  /** As much as travels together. */
  #takeSome(): readonly Outgoing[] {
    let count = 0;
    let size = 0;
    for (const next of this.#waiting) {
      if (count > 0 && size + next.size + OVERHEAD > MAX_ENVELOPE) break;
      size += next.size + OVERHEAD;
      count++;
    }
    this.#backlog -= size;
    return this.#waiting.splice(0, count).filter(({ size, onSend, onRefused }) => {
      if (onSend?.() === false) return false;
      if (size <= MAX_FRAME) return true;
      onRefused?.("it is too long for the connection between processes");
      return false;
    });
  }

  #transmit(batch: readonly Outgoing[]): void {
    if (batch.length === 0) return;
    let isSent = false;
    // A process that is gone takes nothing: its end is an event of its own.
    const onSent = () => {
      if (isSent) return;
      isSent = true;
      this.#underWay--;
      if (this.#waiting.length > 0) this.#goOn();
      else if (this.#underWay === 0) this.onEmpty();
    };
    this.#underWay++;
    try {
      this.#send(envelope(batch.map(({ frame }) => frame)), onSent);
    } catch (error) {
      isSent = true;
      this.#underWay--;
      this.#transmitApart(batch, error);
    }
  }

  /** What cannot be put into a message stops only itself. */
  #transmitApart(batch: readonly Outgoing[], error: unknown): void {
    if (batch.length === 1) return batch[0]?.onRefused?.(String(error));
    const half = batch.length >> 1;
    this.#transmit(batch.slice(0, half));
    this.#transmit(batch.slice(half));
  }
}
