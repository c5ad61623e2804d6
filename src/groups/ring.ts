import type { GGBusMessage, GGPosition } from "../api/bus.js";

/** The latest messages of one epoch, in order and without hole. */
export class Ring {
  /** A message is two texts here: its position follows from its place. */
  readonly #bodies: string[] = [];
  readonly #froms: string[] = [];
  /** Where the oldest message is, once all places are taken. */
  #start = 0;
  #top: number;

  constructor(
    /** How many messages it keeps. */
    readonly size: number,
    readonly epoch: string,
    /** The offset before the first message. */
    offset: number,
  ) {
    this.#top = offset;
  }

  /** How many messages there are. */
  get length(): number {
    return this.#froms.length;
  }

  /** The offset of the latest message. */
  get top(): number {
    return this.#top;
  }

  /** Adds the message that follows the latest; the oldest makes room. */
  push(body: string, from: string): void {
    this.#top++;
    if (this.#froms.length < this.size) {
      this.#bodies.push(body);
      this.#froms.push(from);
      return;
    }
    this.#bodies[this.#start] = body;
    this.#froms[this.#start] = from;
    this.#start = (this.#start + 1) % this.size;
  }

  /** Adds what the latest message is, where there are no messages yet. */
  learn(body: string, from: string): void {
    this.#bodies.push(body);
    this.#froms.push(from);
  }

  /** Who published the message with this offset; `undefined` when it is not there. */
  fromAt(offset: number): string | undefined {
    return this.#isThere(offset) ? this.#froms[this.#placeOf(offset)] : undefined;
  }

  /** Everything after an offset, at most `limit` messages; `undefined` when they are not all there. Takes any number. */
  since(offset: number, limit = Number.POSITIVE_INFINITY): readonly GGBusMessage[] | undefined {
    if (!Number.isSafeInteger(offset) || offset > this.#top || this.#top - offset > Math.min(limit, this.length))
      return;
    return Array.from({ length: this.#top - offset }, (_, i) => this.#at(offset + 1 + i));
  }

  /** Who published what is there, in no order. */
  get froms(): readonly string[] {
    return this.#froms;
  }

  /** The same messages in a ring of another size, or the latest of them. */
  resized(size: number): Ring {
    const kept = Math.min(size, this.length);
    const ring = new Ring(size, this.epoch, this.#top - kept);
    for (const { body, from } of this.since(this.#top - kept) ?? []) ring.push(body, from);
    return ring;
  }

  #isThere(offset: number): boolean {
    return offset <= this.#top && offset > this.#top - this.length;
  }

  #placeOf(offset: number): number {
    return (this.#start + this.length - 1 - (this.#top - offset)) % this.length;
  }

  #at(offset: number): GGBusMessage {
    const place = this.#placeOf(offset);
    const position: GGPosition = { epoch: this.epoch, offset };
    return { body: this.#bodies[place]!, from: this.#froms[place]!, position };
  }
}
