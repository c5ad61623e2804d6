import { MAX_HELD_MESSAGES } from "./heldMessages.js";

/**
 * The `from`s of what was delivered before messages were lost, the latest of them. A publisher that has had no answer
 * publishes again, in the epoch that follows: they are known until as many messages as the size says have a place in that.
 */
export class FormerMessages {
  readonly #size: number;
  /** Each with the number of losses before it was delivered. */
  readonly #losses = new Map<string, number>();
  /** How many messages may follow until they are forgotten. */
  #remaining = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** How many losses there were before it was delivered; `undefined` when it was not, or is forgotten. */
  lossesBefore(from: string): number | undefined {
    return this.#remaining > 0 ? this.#losses.get(from) : undefined;
  }

  /** Adds what was delivered after so many losses, in order. */
  add(froms: readonly string[], losses: number): void {
    for (const from of froms) {
      this.#losses.delete(from);
      this.#losses.set(from, losses);
    }
    const excess = this.#losses.size - this.#size - MAX_HELD_MESSAGES;
    if (excess > 0) for (const from of [...this.#losses.keys()].slice(0, excess)) this.#losses.delete(from);
    this.#remaining = this.#size;
  }

  /** One more message has a place since. */
  advance(): void {
    if (this.#remaining > 0 && --this.#remaining === 0) this.#losses.clear();
  }
}
