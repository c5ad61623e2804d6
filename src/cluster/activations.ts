/** A subscription that the primary is asked for. */
interface Activation {
  readonly active: Promise<void>;
  readonly resolve: () => void;
}

/** The subscriptions of a node, by channel: who waits until messages arrive. */
export class Activations {
  readonly #activations = new Map<string, Activation>();

  /** That of a channel, made when there is none. */
  of(channel: string): Activation {
    const activation = this.#activations.get(channel) ?? newActivation();
    this.#activations.set(channel, activation);
    return activation;
  }

  /** Resolves when messages of a channel arrive, or with `stop`. */
  waitFor(channel: string): { readonly active: Promise<void>; readonly stop: () => void } {
    const stopped = newActivation();
    return { active: Promise.race([this.of(channel).active, stopped.active]), stop: stopped.resolve };
  }

  /** Whether an activation is still that of its channel. */
  has(channel: string, activation: Activation): boolean {
    return this.#activations.get(channel) === activation;
  }

  delete(channel: string): void {
    this.#activations.delete(channel);
  }

  /** Nothing arrives any more: those who wait go on waiting, and those who come wait too. */
  renew(): void {
    for (const [channel, { resolve }] of this.#activations) {
      const next = newActivation();
      void next.active.then(resolve);
      this.#activations.set(channel, next);
    }
  }

  /** Ends all of them. */
  clear(): void {
    for (const { resolve } of this.#activations.values()) resolve();
    this.#activations.clear();
  }
}

function newActivation(): Activation {
  let resolve = () => {};
  const active = new Promise<void>((onActive) => {
    resolve = onActive;
  });
  return { active, resolve };
}
