import { ERROR } from "../error/error.js";
import type { SERVER_ERROR } from "../error/standard.js";
import { OK, ok } from "./ok.js";

const ignore = () => {};

/**
 * A call's outcome, on its way. Awaiting it gives the data or throws the error; `asResult` gives either as a value.
 * An error that nobody reads is not an unhandled rejection.
 */
export class GGPromise<T, E = never> implements Promise<T> {
  readonly #result: Promise<unknown>;

  /** @param result Expected not to reject: an error is a result. A plain value in place of a result counts as its data. */
  constructor(result: PromiseLike<OK<T> | E>) {
    this.#result = Promise.resolve(result);
    this.#result.catch(ignore);
  }

  get [Symbol.toStringTag](): string {
    return "GGPromise";
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaitable is what this class is for.
  then<R1 = T, R2 = never>(
    onfulfilled?: ((value: T) => R1 | PromiseLike<R1>) | null,
    onrejected?: ((reason: E) => R2 | PromiseLike<R2>) | null,
  ): Promise<R1 | R2> {
    const fail = (error: E): R2 | PromiseLike<R2> => {
      if (onrejected) return onrejected(error);
      throw error;
    };
    return this.#result.then(
      (value) => {
        if (ERROR.isJson(value)) return fail(value as E);
        const data = OK.isJson(value) ? value.data : value;
        return onfulfilled ? onfulfilled(data as T) : (data as R1);
      },
      (reason: unknown) => fail(ERROR.fromUnknown(reason) as E),
    );
  }

  catch<R = never>(onrejected?: ((reason: E) => R | PromiseLike<R>) | null): Promise<T | R> {
    return this.then<T, R>(undefined, onrejected);
  }

  finally(onfinally?: (() => void) | null): Promise<T> {
    return this.then<T>().finally(onfinally);
  }

  /** The result as a value; never rejects. */
  asResult(): Promise<OK<T> | E> {
    return this.#result.then(
      (value) => (ERROR.isJson(value) || OK.isJson(value) ? (value as OK<T> | E) : ok(value as T)),
      (reason: unknown) => ERROR.fromUnknown(reason) as E,
    );
  }

  /** The data, or what `fallback` gives in place of an error. */
  orDefault<D = T>(fallback: () => D | PromiseLike<D>): Promise<T | D> {
    return this.then<T, D>(undefined, fallback);
  }

  /** The data, or what `recover` makes of the error. */
  or<D = T>(recover: (error: E) => D | PromiseLike<D>): Promise<T | D> {
    return this.then<T, D>(undefined, recover);
  }

  /** The same outcome with other data; an exception in `convert` becomes an error. */
  map<U>(convert: (data: T) => U | PromiseLike<U>): GGPromise<U, E | SERVER_ERROR> {
    const converted = this.then(
      async (data) => ok(await convert(data)),
      (error) => error,
    );
    return new GGPromise<U, E | SERVER_ERROR>(converted.catch((thrown) => ERROR.fromUnknown(thrown) as SERVER_ERROR));
  }
}
