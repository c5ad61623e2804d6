import type { GGSocketMethod } from "../src/api/contract.js";
import { GGSocketTestAction } from "./action.js";
import type { GGTestExpectation, GGTestInterceptor } from "./expectation.js";
import { type CallSite, GGSocketTestError, listed } from "./failure.js";
import { Operation } from "./operation.js";
import type { TestedApi } from "./testedApi.js";
import { Wait } from "./wait.js";

/**
 * What a test expects the server to send: a push, or a request that the test answers. Awaiting it waits for the next
 * message of the method, which may have arrived already; in `with(...)` it is part of a call of this or another API.
 *
 * @typeParam TPayload what the server sends
 * @typeParam TReply what a request may be answered with; `never` for a push
 * @typeParam TResult what awaiting it resolves to: the payload, or with `times(n)` all payloads
 */
export class GGSocketMock<TPayload, TReply = never, TResult = TPayload>
  extends GGSocketTestAction<TResult, TPayload>
  implements GGTestExpectation
{
  readonly #api: TestedApi;
  readonly #method: string;
  readonly #contract: GGSocketMethod;
  #times = 1;
  #isMany = false;
  #reply: { readonly value: unknown } | undefined;
  #delay = 0;

  /** @internal Made by `callOn(Api).mock`. */
  constructor(api: TestedApi, method: string, contract: GGSocketMethod, site: CallSite) {
    super(api, `${api.name}.${method}`, site);
    this.#api = api;
    this.#method = method;
    this.#contract = contract;
  }

  /** Expects this many messages (default 1), each as expected. Awaiting resolves to all payloads, in order. */
  times(count = 1): GGSocketMock<TPayload, TReply, TPayload[]> {
    if (!Number.isInteger(count) || count < 1) {
      throw new GGSocketTestError(
        `${this.path}: times(${count}): expect at least one; an unexpected message fails the test anyway`,
      );
    }
    this.#times = count;
    this.#isMany = true;
    return this.configured() as unknown as GGSocketMock<TPayload, TReply, TPayload[]>;
  }

  /** Answers the request with this value, or with this error. */
  andReturn(reply: TReply): this {
    this.#reply = { value: reply };
    return this.configured();
  }

  /** Answers the request after this many ms. */
  sleep(ms: [TReply] extends [never] ? never : number): this {
    this.#delay = ms;
    return this.configured();
  }

  /** Watches for the messages while a call of another test kit runs, such as an HTTP call. */
  createInterceptor(): GGTestInterceptor {
    let wait: Wait | undefined;
    const isComplete = () => wait !== undefined && wait.received.length >= this.#times;
    return {
      register: () => {
        this.#api.connection(this.path, this.site).beginExchange();
        this.use();
        wait = this.start();
      },
      unregister: () => wait?.abandon(),
      isCalled: () => isComplete() || wait?.failure !== undefined,
      getMockValidationError: () => wait?.failure,
      validate: () => {
        if (wait?.failure) throw wait.failure;
        if (isComplete()) return;
        const more = listed("Missing", wait ? [wait.missing] : []);
        const frames = wait?.plan.describeFrames();
        throw new GGSocketTestError(`${this.path}: not received`, { more, frames, site: this.site });
      },
    };
  }

  /** @internal The API whose connection receives the messages. */
  get api(): TestedApi {
    return this.#api;
  }

  /** @internal Begins to wait, as part of a call. */
  start(): Wait {
    const isRequest = this.#contract.success !== undefined;
    const { isLenient } = this.#api;
    if (isRequest && !this.#reply && !isLenient) {
      throw this.#misused("a request needs an answer: set it with andReturn(value)");
    }
    if (!isRequest && (this.#reply || this.#delay > 0) && !isLenient) {
      throw this.#misused("a push takes no answer: remove andReturn and sleep");
    }
    const connection = this.#api.connection(this.path, this.site);
    const wait = new Wait({
      method: this.#method,
      path: this.path,
      contract: this.#contract,
      checks: this.checks,
      times: this.#times,
      reply: this.#reply?.value,
      delay: this.#delay,
      site: this.site,
      describeFrames: () => connection.describeFrames(),
      release: (abandoned) => connection.forget(abandoned),
    });
    connection.expect(wait);
    return wait;
  }

  /** Waits for the message. */
  protected async run(): Promise<TResult> {
    const connection = this.#api.connection(this.path, this.site);
    const operation = new Operation(`waiting for ${this.path}`, [connection]);
    const { timeout } = this.#api;
    let wait: Wait | undefined;
    try {
      wait = this.start();
      await operation.within(timeout, wait.done, () => connection.missed(this, timeout, wait ? [wait] : []));
      return (this.#isMany ? wait.received : wait.received[0]) as TResult;
    } finally {
      operation.end();
      wait?.abandon();
    }
  }

  #misused(why: string): GGSocketTestError {
    return new GGSocketTestError(`${this.path}: ${why}`, { site: this.site });
  }
}
