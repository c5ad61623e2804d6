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

const POLL_INTERVAL = 20;

/** An expectation of another test kit while a call runs. */
export class ForeignWait {
  readonly #interceptor: GGTestInterceptor;
  #isRegistered = true;

  private constructor(interceptor: GGTestInterceptor) {
    this.#interceptor = interceptor;
  }

  static async begin(expectation: GGTestExpectation): Promise<ForeignWait> {
    const interceptor = expectation.createInterceptor();
    await interceptor.register();
    return new ForeignWait(interceptor);
  }

  /** Resolves when it is decided, or after so many ms. An interceptor calls nobody back, so it has to be asked. */
  async decided(ms: number): Promise<void> {
    const deadline = performance.now() + ms;
    while (!(await this.#isDecided()) && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, Math.min(POLL_INTERVAL, ms)));
    }
  }

  async end(): Promise<void> {
    if (!this.#isRegistered) return;
    this.#isRegistered = false;
    await this.#interceptor.unregister();
  }

  /** Throws what the interceptor says of what came. */
  async validate(): Promise<void> {
    await this.#interceptor.validate();
  }

  async #isDecided(): Promise<boolean> {
    if (!this.#interceptor.isCalled()) return false;
    if (this.#interceptor.getMockValidationError()) return true;
    return this.validate().then(
      () => true,
      () => false, // More of them are expected.
    );
  }
}
