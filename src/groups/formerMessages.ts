import { MAX_HELD_MESSAGES } from "./heldMessages.js";

/**
 * The `from`s of what was delivered before messages were lost, the latest of them. A publisher that has had no answer
 * publishes again, in the epoch that follows: they are known until as many messages as the size says have a place in that.
 */
export class FormerMessages {
  readonly #size: number;
  readonly #froms = new Set<string>();
  /** How many messages may follow until they are forgotten. */
  #remaining = 0;

  constructor(size: number) {
    this.#size = size;
  }

  has(from: string): boolean {
    return this.#remaining > 0 && this.#froms.has(from);
  }

  /** Adds what was delivered, in order. */
  add(froms: readonly string[]): void {
    for (const from of froms) this.#froms.add(from);
    const excess = this.#froms.size - this.#size - MAX_HELD_MESSAGES;
    if (excess > 0) for (const from of [...this.#froms].slice(0, excess)) this.#froms.delete(from);
    this.#remaining = this.#size;
  }

  /** One more message has a place since. */
  advance(): void {
    if (this.#remaining > 0 && --this.#remaining === 0) this.#froms.clear();
  }
}
