import type { GGBusMessage, GGPosition } from "../api/bus.js";

/** The latest messages of one epoch, in order and without hole. */
export class Ring {
  /** A message is one text and a number here: `from` and then the body, and the length of `from`. */
  #texts: string[] = [];
  #fromLengths: number[] = [];
  /** Where the oldest message is, once all places are taken. */
  #start = 0;
  /** The offset before the first message that was delivered. */
  #beginning: number;
  #top: number;
  /** The latest answer of `since`, and the offset that it was for: many ask for the same at once. */
  #latestSince: { readonly offset: number; readonly messages: WeakRef<readonly GGBusMessage[]> } | undefined;

  constructor(
    /** How many messages it keeps. */
    readonly size: number,
    readonly epoch: string,
    /** The offset before the first message. */
    offset: number,
  ) {
    this.#beginning = offset;
    this.#top = offset;
  }

  /** How many messages there are. */
  get length(): number {
    return this.#texts.length;
  }

  /** The offset of the latest message. */
  get top(): number {
    return this.#top;
  }

  /** Adds the message that follows the latest; the oldest makes room. */
  push(body: string, from: string): void {
    this.#top++;
    this.#latestSince = undefined;
    if (this.length < this.size) return this.#append(body, from);
    this.#texts[this.#start] = textOf(body, from);
    this.#fromLengths[this.#start] = from.length;
    this.#start = (this.#start + 1) % this.size;
  }

  /** Adds messages that come before the oldest, as far as there is room. They were not delivered. */
  prepend(earlier: readonly GGBusMessage[]): void {
    const room = this.size - this.length;
    if (room === 0 || earlier.length === 0) return;
    // While there is room, the oldest is the first. They may be more than a function takes arguments.
    const added = earlier.slice(-room);
    this.#texts = [...added.map(({ body, from }) => textOf(body, from)), ...this.#texts];
    this.#fromLengths = [...added.map(({ from }) => from.length), ...this.#fromLengths];
  }

  /** Whether another publication has the place of a message of this epoch. */
  contradicts({ position, from }: GGBusMessage): boolean {
    return (
      position !== undefined && this.#isThere(position.offset) && this.#fromIn(this.#placeOf(position.offset)) !== from
    );
  }

  /** Everything after an offset, at most `limit` messages; `undefined` when they are not all there. Takes any number. */
  since(offset: number, limit = Number.POSITIVE_INFINITY): readonly GGBusMessage[] | undefined {
    if (!Number.isSafeInteger(offset) || offset > this.#top || this.#top - offset > Math.min(limit, this.length))
      return;
    const known = this.#latestSince?.offset === offset ? this.#latestSince.messages.deref() : undefined;
    if (known) return known;
    const messages = Array.from({ length: this.#top - offset }, (_, i) => this.#at(offset + 1 + i));
    this.#latestSince = { offset, messages: new WeakRef(messages) };
    return messages;
  }

  /** The latest messages, in order, at most this many. */
  latest(limit: number): readonly GGBusMessage[] {
    return this.since(this.#top - Math.min(limit, this.length)) ?? [];
  }

  /** What follows an offset counts as delivered, though it was prepended. */
  markDelivered(offset: number): void {
    this.#beginning = Math.min(this.#beginning, offset);
  }

  /** Who published what was delivered and is there, in order. */
  get froms(): readonly string[] {
    const count = Math.min(this.length, this.#top - this.#beginning);
    return Array.from({ length: count }, (_, i) => this.#fromIn(this.#placeOf(this.#top - count + 1 + i)));
  }

  /** The same messages in a ring of another size, or the latest of them. */
  resized(size: number): Ring {
    const kept = Math.min(size, this.length);
    const ring = new Ring(size, this.epoch, this.#top - kept);
    for (const { body, from } of this.latest(kept)) ring.push(body, from);
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
    return { body: this.#texts[place]!.slice(this.#fromLengths[place]), from: this.#fromIn(place), position };
  }

  #append(body: string, from: string): void {
    this.#texts.push(textOf(body, from));
    this.#fromLengths.push(from.length);
  }

  #fromIn(place: number): string {
    return this.#texts[place]!.slice(0, this.#fromLengths[place]);
  }
}

/**
 * A part of a text keeps all of it in memory: what a bus passes may be parts of all that has come. V8 copies a joined text
 * once a character is asked for, and lets go of its parts.
 */
function textOf(body: string, from: string): string {
  const text = from + body;
  text.charCodeAt(0);
  return text;
}
