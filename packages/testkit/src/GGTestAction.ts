import type { IGGTestInterceptor, IGGTestWith } from "./types.js";

/** How long interceptors keep watching after the action, in ms. */
const GRACE = 25;

/** The polling interval of `waitFor`, in ms. */
const POLL_INTERVAL = 20;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Something that a test does, with its expectations. It runs when it is awaited. */
export class GGTestAction<T> implements PromiseLike<T> {
  readonly #act: () => Promise<T>;
  readonly #with: IGGTestWith[] = [];
  readonly #waitFor: { readonly expectation: IGGTestWith; readonly timeout: number }[] = [];
  #running: Promise<T> | undefined;

  constructor(act: () => Promise<T>) {
    this.#act = act;
  }

  /** Expects these to happen while the action runs. */
  with(...expectations: readonly IGGTestWith[]): this {
    this.#with.push(...expectations);
    return this;
  }

  /** Expects this to happen within `timeout` ms after the action. */
  waitFor(expectation: IGGTestWith, timeout = 5_000): this {
    this.#waitFor.push({ expectation, timeout });
    return this;
  }

  // biome-ignore lint/suspicious/noThenProperty: this class exists to be awaited.
  then<R1 = T, R2 = never>(
    onfulfilled?: ((value: T) => R1 | PromiseLike<R1>) | null,
    onrejected?: ((reason: unknown) => R2 | PromiseLike<R2>) | null,
  ): Promise<R1 | R2> {
    this.#running ??= this.#run();
    return this.#running.then(onfulfilled, onrejected);
  }

  async #run(): Promise<T> {
    const soon = this.#with.map((expectation) => expectation.createInterceptor());
    const later = this.#waitFor.map(({ expectation, timeout }) => ({
      interceptor: expectation.createInterceptor(),
      timeout,
    }));
    for (const interceptor of [...soon, ...later.map(({ interceptor }) => interceptor)]) interceptor.register();
    let result: T;
    try {
      result = await this.#act();
      await sleep(GRACE);
    } finally {
      for (const interceptor of soon) interceptor.unregister();
    }
    for (const interceptor of soon) interceptor.validate();
    for (const { interceptor, timeout } of later) await happened(interceptor, timeout);
    return result;
  }
}

async function happened(interceptor: IGGTestInterceptor, timeout: number): Promise<void> {
  const deadline = performance.now() + timeout;
  while (!interceptor.isCalled() && performance.now() < deadline) await sleep(POLL_INTERVAL);
  interceptor.unregister();
  const error = interceptor.getMockValidationError();
  if (error) throw error;
  interceptor.validate();
}
