import { setTimeout } from "./runner.js";

/**
 * What `with` and `waitFor` take, here and in the framework's other test kits: an expectation of a push, an HTTP call, a log
 * line or a metric.
 */
export interface GGTestExpectation {
  /** Makes what watches for it during one call. */
  createInterceptor(): GGTestInterceptor;
  /** Whether it takes its time, so that `with` has to wait for it as `waitFor` does. Default: no. */
  requiresWaitFor?(): boolean;
}

/** Watches for what is expected while a call runs. */
export interface GGTestInterceptor {
  /** Begins to watch, before the call. */
  register(): unknown;
  /** Ends it, after the call. */
  unregister(): unknown;
  /** Throws when what came is not what was expected. */
  validate(): unknown;
  /** What is wrong with what came, if anything. */
  getMockValidationError(): Error | undefined;
  /** Whether it came. */
  isCalled(): boolean;
}

/** How long what comes along with a call may take after it, in ms: that of the framework's own kits. */
const GRACE = 25;

const POLL_INTERVAL = 20;

/** What other test kits expect of one call. */
export class ForeignExpectations {
  readonly #soon: GGTestInterceptor[] = [];
  readonly #later: { readonly interceptor: GGTestInterceptor; readonly timeout: number }[] = [];
  readonly #registered = new Set<GGTestInterceptor>();

  /** Begins to watch; without a time limit, for what comes along with the call. */
  async register(expectation: GGTestExpectation, timeout: number | undefined): Promise<void> {
    const interceptor = expectation.createInterceptor();
    if (timeout === undefined) this.#soon.push(interceptor);
    else this.#later.push({ interceptor, timeout });
    // First: one that fails to register may have begun all the same.
    this.#registered.add(interceptor);
    await interceptor.register();
  }

  /** Waits for all of them once the call is done, and throws what one of them says of what came. */
  async check(): Promise<void> {
    // The whole time, also when all is there: one may expect that something does not come.
    if (this.#soon.length > 0) await sleep(GRACE);
    for (const interceptor of this.#soon) await this.#unregister(interceptor);
    for (const interceptor of this.#soon) await validate(interceptor);
    for (const { interceptor, timeout } of this.#later) {
      await happened(interceptor, timeout);
      await this.#unregister(interceptor);
      await validate(interceptor);
    }
  }

  /** Ends those that still watch. What that throws says less than what has ended the call. */
  async end(): Promise<void> {
    await Promise.allSettled(Array.from(this.#registered, (interceptor) => this.#unregister(interceptor)));
  }

  async #unregister(interceptor: GGTestInterceptor): Promise<void> {
    if (this.#registered.delete(interceptor)) await interceptor.unregister();
  }
}

async function validate(interceptor: GGTestInterceptor): Promise<void> {
  const error = interceptor.getMockValidationError();
  if (error) throw error;
  await interceptor.validate();
}

/** Resolves when it is decided, or after this many ms. An interceptor calls nothing back, so it has to be asked. */
async function happened(interceptor: GGTestInterceptor, ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  while (!interceptor.isCalled() && !interceptor.getMockValidationError() && performance.now() < deadline) {
    await sleep(Math.min(POLL_INTERVAL, ms));
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
