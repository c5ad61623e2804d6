import { setTimeout } from "./runner.js";

/**
 * What `with` and `waitFor` take, here and in the framework's other test kits: an expectation of a push, an HTTP call,
 * a log entry or a metric.
 */
export interface GGTestExpectation {
  /** Creates the interceptor that watches for it during one call. */
  createInterceptor(): GGTestInterceptor;
  /** Whether it is slow, so that `with` must wait for it as `waitFor` does. Default: no. */
  requiresWaitFor?(): boolean;
}

/** Watches for an expected effect while a call runs. */
export interface GGTestInterceptor {
  /** Starts watching, before the call. */
  register(): unknown;
  /** Stops watching, after the call. */
  unregister(): unknown;
  /** Throws unless the expectation is met. */
  validate(): unknown;
  /** Why the observed effect does not match, if it does not. */
  getMockValidationError(): Error | undefined;
  /** Whether the effect was observed. */
  isCalled(): boolean;
}

/** How long effects without a timeout may take after the call, in ms; the same as in the framework's own kits. */
const GRACE = 25;

const POLL_INTERVAL = 20;

/** The expectations of other test kits during one call. */
export class ForeignExpectations {
  readonly #soon: GGTestInterceptor[] = [];
  readonly #later: { readonly interceptor: GGTestInterceptor; readonly timeout: number }[] = [];
  readonly #registered = new Set<GGTestInterceptor>();

  /** Starts watching; without a timeout, until shortly after the call. */
  async register(expectation: GGTestExpectation, timeout: number | undefined): Promise<void> {
    const interceptor = expectation.createInterceptor();
    if (timeout === undefined) this.#soon.push(interceptor);
    else this.#later.push({ interceptor, timeout });
    // Before register(): an interceptor whose register() fails may already be active.
    this.#registered.add(interceptor);
    await interceptor.register();
  }

  /** Waits for all of them after the call, and throws the first error. */
  async check(): Promise<void> {
    // Always the full time: an expectation may be that something does not happen.
    if (this.#soon.length > 0) await sleep(GRACE);
    for (const interceptor of this.#soon) await this.#unregister(interceptor);
    for (const interceptor of this.#soon) await validate(interceptor);
    for (const { interceptor, timeout } of this.#later) {
      await settled(interceptor, timeout);
      await this.#unregister(interceptor);
      await validate(interceptor);
    }
  }

  /** Stops the remaining interceptors. Their errors are ignored in favour of the one that ended the call. */
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

/** Resolves when the outcome is known, or after `ms`. Interceptors have no callback, so this polls. */
async function settled(interceptor: GGTestInterceptor, ms: number): Promise<void> {
  const deadline = performance.now() + ms;
  while (!interceptor.isCalled() && !interceptor.getMockValidationError() && performance.now() < deadline) {
    await sleep(Math.min(POLL_INTERVAL, ms));
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
