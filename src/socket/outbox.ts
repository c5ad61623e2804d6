import type { Transport } from "./transport.js";

/**
 * What leaves a socket. Messages of one tick are kept together and handed to the transport in one go at its end, so that
 * fifty replies cost one write. Nothing waits for a timer: a lone message leaves in the same tick.
 */
export class Outbox {
  #waiting: string[] = [];
  /** How many messages were ever handed to the transport; a call compares it with its own number to know if it was sent. */
  #handedOver = 0;
  #accepted = 0;

  constructor(readonly transport: Transport) {}

  /** Takes a message and returns its number, for {@link wasSent}. */
  push(message: string): number {
    if (this.#waiting.length === 0) flushLater(this);
    this.#waiting.push(message);
    return ++this.#accepted;
  }

  /** Whether the message of this number has been handed to the transport. */
  wasSent(number: number): boolean {
    return number <= this.#handedOver;
  }

  /** Hands over what waits, now. */
  flush(): void {
    const messages = this.#waiting;
    if (messages.length === 0) return;
    this.#waiting = [];
    this.#handedOver += messages.length;
    this.transport.send(messages);
  }

  /** Forgets what waits: the line is gone. */
  discard(): void {
    this.#waiting = [];
  }
}

let dirty: Outbox[] = [];

// On Node `nextTick` runs once the promise jobs at hand are done, so the replies of many handlers meet in one flush.
const atEndOfTick: (callback: () => void) => void = globalThis.process?.nextTick ?? queueMicrotask;

function flushLater(outbox: Outbox): void {
  if (dirty.length === 0) atEndOfTick(flushAll);
  dirty.push(outbox);
}

function flushAll(): void {
  const outboxes = dirty;
  dirty = [];
  for (const outbox of outboxes) outbox.flush();
}
