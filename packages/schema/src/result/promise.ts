import { type OK, ok } from "./ok.js";

/**
 * A call's pending outcome. Awaiting it returns the data or throws the error; `asResult` returns either as a value.
 * An unread error is not an unhandled rejection.
 */
export class GGPromise<T, E> implements Promise<T> {
  readonly #inner: Promise<OK<T> | E>;

  /**
   * @param inner must not reject: an error is a value. No member that handles errors receives a rejection, and awaiting
   * the GGPromise then never settles.
   */
  constructor(inner: Promise<OK<T> | E>) {
    this.#inner = inner;
  }

  get [Symbol.toStringTag](): string {
    return "GGPromise";
  }

  /** Runs `onfulfilled` with the data, or `onrejected` with any other outcome. */
  // biome-ignore lint/suspicious/noThenProperty: this class exists to be awaited.
  then<R1 = T, R2 = never>(
    onfulfilled?: ((value: T) => R1 | PromiseLike<R1>) | null,
    onrejected?: ((reason: E) => R2 | PromiseLike<R2>) | null,
  ): Promise<R1 | R2> {
    return this.#inner.then((outcome): R1 | R2 | PromiseLike<R1 | R2> => {
      if (isSuccess(outcome)) return onfulfilled ? onfulfilled(outcome.data) : (outcome.data as unknown as R1);
      if (onrejected) return onrejected(outcome);
      throw outcome;
    });
  }

  /** Runs `onrejected` with an error result. */
  catch<R = never>(onrejected?: ((reason: E) => R | PromiseLike<R>) | null): Promise<T | R> {
    return this.then<T, R>(undefined, onrejected);
  }

  /** Runs `onfinally` after any outcome. */
  finally(onfinally?: (() => void) | null): Promise<T> {
    return this.then<T>().finally(onfinally);
  }

  /** The outcome as a value. */
  asResult(): Promise<OK<T> | E> {
    return this.#inner;
  }

  /** The data, or the result of `fallback` instead of an error. */
  orDefault(fallback: () => T): Promise<T> {
    return this.then<T, T>(undefined, fallback);
  }

  /** The data, or the result of `recover` for the error. */
  or(recover: (error: E) => T): Promise<T> {
    return this.then<T, T>(undefined, recover);
  }

  /** The same outcome with other data; an error stays as it is. */
  map<U>(convert: (data: T) => U): GGPromise<U, E> {
    return new GGPromise<U, E>(
      this.#inner.then((outcome) => (isSuccess(outcome) ? ok(convert(outcome.data)) : outcome)),
    );
  }
}

function isSuccess<T, E>(outcome: OK<T> | E): outcome is OK<T> {
  return (outcome as Partial<OK> | null | undefined)?.success === true;
}
