/** What may wait while the bus is down. */
export interface QueueLimits {
  readonly messages: number;
  readonly bytes: number;
  readonly ms: number;
}

/** How much more than what may wait can be under way at once, and what can be in any case. */
const TIMES_WAITING = 64;
const LEAST = { messages: 1_000, bytes: 4 * 1024 * 1024 };

/** Counts the messages that were sent to Redis and that it has not answered, and bounds them. */
export class UnderWay {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #messages = 0;
  #bytes = 0;

  constructor({ messages, bytes }: QueueLimits) {
    this.#maxMessages = Math.max(messages * TIMES_WAITING, LEAST.messages);
    this.#maxBytes = Math.max(bytes * TIMES_WAITING, LEAST.bytes);
  }

  /** How many there are. */
  get messages(): number {
    return this.#messages;
  }

  /** Whether a message of this size may be sent: one alone always may. */
  hasRoom(bytes: number): boolean {
    return this.#messages === 0 || (this.#messages < this.#maxMessages && this.#bytes + bytes <= this.#maxBytes);
  }

  add(bytes: number): void {
    this.#messages++;
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#messages--;
    this.#bytes -= bytes;
  }
}
