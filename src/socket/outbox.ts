import { joinMessages } from "../protocol/batch.js";
import type { SharedMessage } from "./sharedMessage.js";
import type { Transport } from "./transport.js";

/**
 * What leaves a socket. Messages of one tick are kept together and handed to the transport in one go at its end, so that
 * fifty replies cost one write. Nothing waits for a timer: a lone message leaves in the same tick.
 */
export class Outbox {
  readonly transport: Transport;
  /** The most bytes of a batch, where the peer takes batches; else every message is a frame of its own. */
  readonly #batchBytes: number;
  #waiting: string[] = [];
  /** Set while nothing but this one waits. */
  #shared: SharedMessage | undefined;
  /** How many characters wait here, and how many bytes waited below at the last look. */
  #backlog = 0;
  /** How many messages were ever handed to the transport; a call compares it with its own number to know if it was sent. */
  #handedOver = 0;
  #accepted = 0;

  constructor(transport: Transport, batchBytes = 0) {
    this.transport = transport;
    this.#batchBytes = batchBytes;
  }

  /** Whether messages are joined into batches. */
  get isJoining(): boolean {
    return this.#batchBytes > 0;
  }

  /** Takes a message and returns its number, for {@link wasSent}. */
  push(message: string, shared?: SharedMessage): number {
    const waiting = this.#waiting;
    if (waiting.length === 0) {
      flushLater(this);
      this.#shared = shared;
    } else this.#shared = undefined;
    waiting.push(message);
    this.#backlog += message.length;
    return ++this.#accepted;
  }

  /** Whether more than so many bytes wait, and the peer does not keep up. */
  exceeds(maxBytes: number): boolean {
    if (this.#backlog <= maxBytes) return false;
    this.#backlog = this.#waiting.reduce((sum, { length }) => sum + length, this.transport.backlog?.() ?? 0);
    return this.#backlog > maxBytes;
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
    const { transport } = this;
    const shared = this.#shared;
    if (shared && transport.sendShared) transport.sendShared(shared);
    else transport.send(this.isJoining ? joinMessages(messages, this.#batchBytes) : messages);
    this.#backlog = transport.backlog?.() ?? 0;
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
