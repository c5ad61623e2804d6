import { byteLength, SEPARATOR } from "../protocol/frame.js";
import type { Transport } from "../transport/transport.js";
import { atEndOfTick } from "./ticks.js";

/** How many bytes may wait for a peer by default: 64 MiB. */
export const MAX_OUTBOX_BYTES = 64 * 1024 * 1024;

/**
 * The outgoing messages of a connection. Those of one tick are handed to the transport together at its end, so that
 * fifty replies cost one write. There is no timer: a single message is sent in the same tick.
 */
export class Outbox {
  readonly underlyingTransport: Transport;
  /** What waits: each a message, or the batch that it was joined to; `undefined` when nothing does. */
  queuedMessages: string[] | undefined;
  /** The longest batch, in UTF-16 units, where the peer takes batches; else every message is a frame of its own. */
  readonly #batchLength: number;
  readonly #maxBytes: number;
  /** Never fewer than the bytes that wait: what was taken since the last count, at three bytes a UTF-16 unit. */
  #atMostWaiting = 0;
  /** How many messages were ever taken, and handed to the transport. */
  #taken = 0;
  #handedOver = 0;

  constructor(transport: Transport, batchBytes = 0, maxBytes = MAX_OUTBOX_BYTES) {
    this.underlyingTransport = transport;
    this.#maxBytes = maxBytes;
    // A UTF-16 unit becomes three bytes at most.
    this.#batchLength = batchBytes / 3;
  }

  /** Counts a message in, which is to be taken unless there is no room for it in so many bytes. */
  hasRoom(message: string, max = this.#maxBytes): boolean {
    const atMost = 3 * message.length;
    this.#atMostWaiting += atMost;
    if (this.#atMostWaiting <= max) return true;
    const backlog = this.measureBacklog();
    this.#atMostWaiting = backlog + atMost;
    // A message that is larger than the limit is sent when nothing waits: its peer is not slow.
    return !backlog || (backlog + message.length <= max && backlog + byteLength(message) <= max);
  }

  /** Hands over what waits, and returns how many bytes wait for the peer, as far as the platform shows it. */
  measureBacklog(): number {
    // What waits here is text, of which only the transport knows the bytes.
    this.flushNow();
    return this.underlyingTransport.backlog?.() ?? 0;
  }

  /** Takes a message and returns its number, for {@link wasSent}. */
  push(message: string): number {
    const { queuedMessages: waiting } = this;
    if (waiting) {
      const last = waiting.length - 1;
      const batch = waiting[last] as string;
      if (batch.length + message.length < this.#batchLength) waiting[last] = batch + SEPARATOR + message;
      else waiting.push(message);
    } else {
      this.queuedMessages = [message];
      flushLater(this);
    }
    return ++this.#taken;
  }

  /** Whether the message of this number has been handed to the transport. */
  wasSent(number: number): boolean {
    return number <= this.#handedOver;
  }

  /** Hands over what waits, now. */
  flushNow(): void {
    const { queuedMessages: waiting } = this;
    if (!waiting) return;
    this.discard();
    this.#handedOver = this.#taken;
    this.handOver(waiting);
  }

  /** Drops what waits: the connection is gone. */
  discard(): void {
    this.queuedMessages = undefined;
  }

  protected handOver(messages: readonly string[]): void {
    this.underlyingTransport.send(messages);
  }
}

let dirty: Outbox[] = [];

function flushLater(outbox: Outbox): void {
  // The replies of many handlers meet in one flush.
  if (dirty.push(outbox) === 1) atEndOfTick(flushAll);
}

function flushAll(): void {
  const outboxes = dirty;
  dirty = [];
  for (const outbox of outboxes) outbox.flushNow();
}
