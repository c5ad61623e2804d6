import { type Envelope, envelope } from "./frames.js";

/** Sends a message to the other process: `process.send`, or that of a worker. */
export type Send = (message: Envelope, onSent: (error: Error | null) => void) => unknown;

interface Waiting {
  readonly frame: object;
  readonly size: number;
  readonly onHandedOver: (() => void) | undefined;
}

/**
 * One direction between two processes. What comes in one tick goes out together; while the other process has not taken that,
 * the rest waits and goes out together next.
 */
export class Pipe {
  readonly #send: Send;
  #waiting: Waiting[] = [];
  #size = 0;
  #isSending = false;
  #isFlushing = false;
  /** Is called when everything has been handed over. */
  onEmpty: () => void = () => {};

  constructor(send: Send) {
    this.#send = send;
  }

  /** How many characters wait since the other process is slow; what is sent in this tick is not counted. */
  get backlog(): number {
    return this.#isSending ? this.#size : 0;
  }

  /** How many frames wait for that reason. */
  get backlogFrames(): number {
    return this.#isSending ? this.#waiting.length : 0;
  }

  /** `onHandedOver` is called when the frame goes to the system. */
  push(frame: object, size: number, onHandedOver?: () => void): void {
    this.#waiting.push({ frame, size, onHandedOver });
    this.#size += size;
    if (this.#isFlushing || this.#isSending) return;
    this.#isFlushing = true;
    process.nextTick(() => this.#flush());
  }

  /** Sends what waits at once, also while the other process is slow: the last of it. */
  flush(): void {
    if (this.#waiting.length > 0) this.#flush();
  }

  #flush(): void {
    this.#isFlushing = false;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#size = 0;
    if (batch.length === 0) return;
    this.#isSending = true;
    for (const { onHandedOver } of batch) onHandedOver?.();
    let isSent = false;
    // A process that is gone takes nothing: its end is an event of its own.
    const onSent = () => {
      if (isSent) return;
      isSent = true;
      this.#isSending = false;
      if (this.#waiting.length > 0) this.#flush();
      else this.onEmpty();
    };
    try {
      this.#send(envelope(batch.map(({ frame }) => frame)), onSent);
    } catch {
      process.nextTick(onSent);
    }
  }
}
