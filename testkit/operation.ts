import type { GGSocketTestError } from "./failure.js";
import { clearTimeout, setTimeout } from "./runner.js";

/** What takes part in an operation and can make it fail. */
export interface OperationHost {
  /** Throws what has been wrong for a while, or lets the operation hear of it from now on. */
  begin(operation: Operation): void;
  end(operation: Operation): void;
}

/** Something that a test awaits right now. What goes wrong on a connection meanwhile makes it fail at once. */
export class Operation {
  readonly #hosts: readonly OperationHost[];
  readonly #failed: Promise<never>;
  #fail!: (error: GGSocketTestError) => void;
  /** What it has failed with. */
  error: unknown;

  /** `label` names it to people. */
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

  /** What `work` gives; `expired`'s error when that takes longer than so many ms. */
  async within<T>(ms: number, work: Promise<T>, expired: () => GGSocketTestError): Promise<T> {
    const timer = setTimeout(() => this.fail(expired()), ms);
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
