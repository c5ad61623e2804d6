import type { GGBusMessage, GGPosition } from "../api/bus.js";

/** A message that is kept. */
export type PositionedMessage = GGBusMessage & { readonly position: GGPosition };

/** How many messages of a channel are held at most, and how many characters they have together. */
export const MAX_HELD_MESSAGES = 256;
export const MAX_HELD_CHARACTERS = 1024 * 1024;

/** Messages that wait until it is known what comes before them. */
export class HeldMessages {
  readonly #epochs = new Map<string, Map<number, PositionedMessage>>();
  #count = 0;
  #characters = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get isOverfull(): boolean {
    return this.#count > MAX_HELD_MESSAGES || this.#characters > MAX_HELD_CHARACTERS;
  }

  /** Adds a message, and returns the one that is there: the first one of its position stays. */
  add(message: PositionedMessage): PositionedMessage {
    const { epoch, offset } = message.position;
    const held = this.#epochs.get(epoch) ?? new Map<number, PositionedMessage>();
    this.#epochs.set(epoch, held);
    const former = held.get(offset);
    if (former) return former;
    held.set(offset, message);
    this.#count++;
    this.#characters += message.body.length;
    return message;
  }

  /** The highest offset of each epoch. */
  highestOffsets(): Map<string, number> {
    return new Map([...this.#epochs].map(([epoch, held]) => [epoch, Math.max(...held.keys())]));
  }

  take(epoch: string, offset: number): PositionedMessage | undefined {
    const held = this.#epochs.get(epoch);
    const message = held?.get(offset);
    if (!held || !message) return undefined;
    held.delete(offset);
    if (held.size === 0) this.#epochs.delete(epoch);
    this.#count--;
    this.#characters -= message.body.length;
    return message;
  }

  /** Takes all messages of an epoch up to an offset, in order. */
  takeUpTo(epoch: string, offset: number): readonly PositionedMessage[] {
    const offsets = [...(this.#epochs.get(epoch)?.keys() ?? [])].filter((held) => held <= offset);
    return offsets.sort((a, b) => a - b).map((held) => this.take(epoch, held)!);
  }

  /** Removes the messages of an epoch. */
  drop(epoch: string): void {
    this.takeUpTo(epoch, Number.POSITIVE_INFINITY);
  }

  clear(): void {
    this.#epochs.clear();
    this.#count = 0;
    this.#characters = 0;
  }
}
