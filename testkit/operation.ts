import type { GGSocketTestError } from "./failure.js";
import { clearTimeout, setTimeout } from "./runner.js";

/** A participant of an operation, which can make it fail. */
export interface OperationHost {
  /** Throws an earlier problem if there is one, else fails the operation on later ones. */
  begin(operation: Operation): void;
  end(operation: Operation): void;
}

/** Something that a test awaits now. A problem on one of its connections makes it fail at once. */
export class Operation {
  readonly #hosts: readonly OperationHost[];
  readonly #failed: Promise<never>;
  #fail!: (error: GGSocketTestError) => void;
  /** The error it has failed with. */
  error: unknown;

  /** `label` names it in error texts. */
  constructor(
    readonly label: string,
    hosts: Iterable<OperationHost>,
  ) {
    this.#hosts = [...hosts];
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => {});
    try {
      for (const host of this.#hosts) host.begin(this);
    } catch (problem) {
      this.end();
      throw problem;
    }
  }

  fail(error: GGSocketTestError): void {
    this.#fail(error);
  }

  end(): void {
    for (const host of this.#hosts) host.end(this);
  }

  /** Resolves with `work`; fails with `expired`'s error after `ms`. */
  async within<T>(ms: number, work: Promise<T>, expired: () => GGSocketTestError): Promise<T> {
    // Longer than a timer can wait is for ever.
    const timer = ms > 2 ** 31 - 1 ? undefined : setTimeout(() => this.fail(expired()), ms);
    try {
      return await Promise.race([work, this.#failed]);
    } catch (error) {
      this.error = error;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
