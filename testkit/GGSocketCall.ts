import { ERROR, type ERROR_JSON, OK } from "@grest-ts/schema";
import type { GGSocketMethod } from "../src/api/contract.js";
import { returnedError } from "../src/connection/methods/outcome.js";
import { validated } from "../src/connection/methods/validated.js";
import { GGSocketTestAction } from "./action.js";
import type { TestConnection } from "./connection.js";
import { ForeignExpectations, type GGTestExpectation } from "./expectation.js";
import { type CallSite, type FailureDetails, GGSocketTestError, show } from "./failure.js";
import { fieldErrors } from "./fieldErrors.js";
import { GGSocketMock } from "./GGSocketMock.js";
import { Operation } from "./operation.js";
import type { TestedApi } from "./testedApi.js";
import type { GGTestErrorClass, GGTestErrorData } from "./types.js";
import type { Wait } from "./wait.js";

const WAIT_FOR = 5_000;

interface Expected {
  readonly expectation: GGTestExpectation;
  /** Absent for what must arrive within the call's own timeout. */
  readonly timeout: number | undefined;
}

/**
 * A call of a client-to-server method, with what a test expects of it. Nothing is sent before it is awaited. The input
 * is sent unchecked, so the test sees the result of the server's validation.
 *
 * @typeParam TInput the method's input
 * @typeParam TResult what awaiting it resolves to: the result, or after `toBeError` the error's data
 * @typeParam TError the errors that the call may receive; `never` without a reply, and once one is expected
 */
export class GGSocketCall<
  TInput,
  TResult,
  TError extends { readonly type: string } = never,
> extends GGSocketTestAction<TResult> {
  readonly #api: TestedApi;
  readonly #contract: GGSocketMethod;
  readonly #input: unknown;
  readonly #expected: Expected[] = [];
  #errorClass: GGTestErrorClass | undefined;

  /** @internal Made by `callOn`. */
  constructor(api: TestedApi, method: string, contract: GGSocketMethod, input: unknown, site: CallSite) {
    super(api, `${api.name}.${method}`, site);
    this.#api = api;
    this.#contract = contract;
    this.#input = input;
    this.configured();
  }

  /**
   * Expects this error instead of a result; later expectations check its data. The data of a `VALIDATION_ERROR` are
   * messages by field, `{ text: ["Value must not be empty"] }`, see {@link GGFieldErrors}.
   */
  toBeError<C extends GGTestErrorClass & { readonly TYPE: TError["type"] }>(
    errorClass: C,
  ): GGSocketCall<TInput, GGTestErrorData<C, TInput>> {
    if (!this.#contract.success) {
      throw new GGSocketTestError(`${this.path}: it has no reply, so there is no error to expect`, { site: this.site });
    }
    this.#errorClass = errorClass;
    return this.configured() as unknown as GGSocketCall<TInput, GGTestErrorData<C, TInput>>;
  }

  /**
   * Expects effects of this call: `api.mock.<method>` of any connection of the test, and expectations of other test
   * kits of the framework (HTTP calls, log entries, metrics). They are registered before the call is sent, and the call
   * resolves when they are met as well.
   */
  with(...expectations: readonly GGTestExpectation[]): this {
    for (const expectation of expectations) {
      const isSlow = this.#checked(expectation).requiresWaitFor?.() === true;
      this.#expected.push({ expectation, timeout: isSlow ? WAIT_FOR : undefined });
    }
    return this.configured();
  }

  /** Like {@link with}, for slow effects: the timeout, in ms, starts when everything else has arrived. */
  waitFor(expectation: GGTestExpectation, timeout: number = WAIT_FOR): this {
    this.#expected.push({ expectation: this.#checked(expectation), timeout });
    return this.configured();
  }

  /** Does what the action is for, once it is awaited. */
  protected async run(): Promise<TResult> {
    const connection = this.#api.connection(this.path, this.site);
    const mocks = this.#expected.map(({ expectation }) => expectation).filter(isMock);
    const others = mocks.map((mock) => mock.api.connection(mock.path, mock.site));
    const operation = new Operation(`calling ${this.path}`, new Set([connection, ...others]));
    const waits: Wait[] = [];
    const soon: Wait[] = [];
    const later: { readonly wait: Wait; readonly timeout: number }[] = [];
    const foreign = new ForeignExpectations();
    try {
      connection.beginExchange();
      for (const { expectation, timeout } of this.#expected) {
        if (!isMock(expectation)) {
          await foreign.register(expectation, timeout);
          continue;
        }
        expectation.use();
        const wait = expectation.start();
        waits.push(wait);
        if (timeout === undefined) soon.push(wait);
        else later.push({ wait, timeout });
        wait.done.catch((error) => operation.fail(error));
      }
      let isReplied = false;
      const reply = this.#send(connection).then((result) => {
        isReplied = true;
        return result;
      });
      const { timeout } = this.#api;
      const [result] = await operation.within(timeout, Promise.all([reply, ...soon.map(({ done }) => done)]), () =>
        connection.missed(this, timeout, soon, isReplied ? undefined : "the reply"),
      );
      for (const { wait, timeout: limit } of later) {
        await operation.within(limit, wait.done, () => connection.missed(this, limit, [wait]));
      }
      await foreign.check();
      return result;
    } finally {
      operation.end();
      for (const wait of waits) wait.abandon();
      await foreign.end();
    }
  }

  async #send(connection: TestConnection): Promise<TResult> {
    const reply = await connection.send(this.path, this.#input, this.#contract.success !== undefined);
    if (reply === undefined || OK.isJson(reply)) return this.#succeeded(connection, reply?.data) as TResult;
    // A local error. If the connection has closed, the operation fails with the close instead.
    if (!(reply instanceof ERROR)) return this.#failed(connection, reply as ERROR_JSON) as TResult;
    if (!connection.isOpen) return new Promise(() => {});
    throw this.#failure(connection, `no valid reply: ${reply.context?.displayMessage}`, { cause: reply });
  }

  #succeeded(connection: TestConnection, data: unknown): unknown {
    if (this.#errorClass) {
      throw this.#failure(connection, `expected the error ${this.#errorClass.TYPE}`, {
        more: `Received a result:\n${show(data)}`,
      });
    }
    const { success } = this.#contract;
    const parsed = success && validated(success, data);
    if (parsed?.issues) {
      throw this.#failure(connection, "the result does not fit the contract", {
        more: `Received:\n${show(data)}\n\nIssues:\n${show(parsed.issues)}`,
      });
    }
    return this.#asExpected(connection, parsed?.value, "the result");
  }

  #failed(connection: TestConnection, json: ERROR_JSON): unknown {
    const { type, data, context } = json;
    const Expected = this.#errorClass;
    if (Expected?.TYPE !== type) {
      const asked = Expected ? `the error ${Expected.TYPE}` : "a result";
      const shown = { type, ...(data !== undefined && { data }), ...context };
      const cause = returnedError(json, this.#contract.errors);
      throw this.#failure(connection, `expected ${asked}`, { more: `Received an error:\n${show(shown)}`, cause });
    }
    const value = type === "VALIDATION_ERROR" ? fieldErrors(data) : data;
    return this.#asExpected(connection, value, `the data of ${type}`);
  }

  #asExpected(connection: TestConnection, value: unknown, what: string): unknown {
    for (const check of this.checks) {
      const mismatch = check.mismatch(value);
      if (mismatch) throw this.#failure(connection, `${what} is not as expected`, { check, mismatch });
    }
    return value;
  }

  #failure(connection: TestConnection, headline: string, details: FailureDetails): GGSocketTestError {
    const frames = connection.describeFrames();
    return new GGSocketTestError(`${this.path}: ${headline}`, { ...details, frames, site: this.site });
  }

  #checked<T extends GGTestExpectation>(expectation: T): T {
    if (typeof Object(expectation).createInterceptor === "function") return expectation;
    throw new GGSocketTestError(`${this.path}: with() and waitFor() take expectations, such as api.mock.<method>`);
  }
}

function isMock(expectation: GGTestExpectation): expectation is GGSocketMock<unknown, unknown, unknown> {
  return expectation instanceof GGSocketMock;
}
