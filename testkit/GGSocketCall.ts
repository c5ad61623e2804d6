import { ERROR, type ERROR_JSON, GGContractExecutor, type GGContractMethod, OK } from "@grest-ts/schema";
import { GGSocketTestAction } from "./action.js";
import type { TestConnection } from "./connection.js";
import { type CallSite, type FailureDetails, GGSocketTestError, show } from "./failure.js";
import { fieldErrors } from "./fieldErrors.js";
import { type GGSocketExpectation, GGSocketMock } from "./GGSocketMock.js";
import { Operation } from "./operation.js";
import type { TestedApi } from "./testedApi.js";
import type { GGTestErrorClass, GGTestErrorData } from "./types.js";
import type { Wait } from "./wait.js";

const WAIT_FOR = 5_000;

interface LaterExpectation {
  readonly mock: GGSocketMock<unknown, unknown, unknown>;
  readonly timeout: number;
}

/**
 * A call of a client-to-server method, with what a test expects of it. Nothing is sent before it is awaited. The input
 * goes out as it is: what the server's validation says is what the test sees.
 *
 * @typeParam TInput the method's input
 * @typeParam TResult what awaiting it gives: the result, or after `toBeError` the error's data
 * @typeParam TError the errors that the call may meet; `never` where it has no reply, and once one is expected
 */
export class GGSocketCall<
  TInput,
  TResult,
  TError extends { readonly type: string } = never,
> extends GGSocketTestAction<TResult> {
  readonly #api: TestedApi;
  readonly #contract: GGContractMethod;
  readonly #input: unknown;
  readonly #with: GGSocketMock<unknown, unknown, unknown>[] = [];
  readonly #later: LaterExpectation[] = [];
  #errorClass: GGTestErrorClass | undefined;

  /** @internal Made by `callOn`. */
  constructor(api: TestedApi, method: string, contract: GGContractMethod, input: unknown, site: CallSite) {
    super(api, `${api.name}.${method}`, site);
    this.#api = api;
    this.#contract = contract;
    this.#input = input;
    this.configured();
  }

  /**
   * Expects this error in place of a result; what follows is about its data. That of a `VALIDATION_ERROR` becomes the
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
   * Expects what the server sends on account of this call: `api.mock.<method>`, of any connection of the test. They are
   * waited for from before the call goes out, and the call is done when they have come as well.
   */
  with(...expectations: readonly GGSocketExpectation[]): this {
    for (const expectation of expectations) this.#with.push(this.#mock(expectation));
    return this.configured();
  }

  /** Like {@link with}, for what may take its time: the limit, in ms, begins when all else is there. */
  waitFor(expectation: GGSocketExpectation, timeout: number = WAIT_FOR): this {
    this.#later.push({ mock: this.#mock(expectation), timeout });
    return this.configured();
  }

  protected async run(): Promise<TResult> {
    const connection = this.#api.connection(this.path, this.site);
    const mocks = [...this.#with, ...this.#later.map(({ mock }) => mock)];
    const others = mocks.map((mock) => mock.api.connection(mock.path, mock.site));
    const operation = new Operation(`calling ${this.path}`, new Set([connection, ...others]));
    const waits: Wait[] = [];
    try {
      connection.beginExchange();
      for (const mock of mocks) {
        mock.use();
        const wait = mock.start();
        waits.push(wait);
        wait.done.catch((error) => operation.fail(error));
      }
      const soon = waits.slice(0, this.#with.length);
      let isReplied = false;
      const reply = this.#send(connection).then((result) => {
        isReplied = true;
        return result;
      });
      const { timeout } = this.#api;
      const [result] = await operation.within(timeout, Promise.all([reply, ...soon.map(({ done }) => done)]), () =>
        connection.missed(this, timeout, soon, isReplied ? undefined : "the reply"),
      );
      for (const [at, { timeout: limit }] of this.#later.entries()) {
        const wait = waits[soon.length + at]!;
        await operation.within(limit, wait.done, () => connection.missed(this, limit, [wait]));
      }
      return result;
    } finally {
      operation.end();
      for (const wait of waits) wait.abandon();
    }
  }

  async #send(connection: TestConnection): Promise<TResult> {
    const reply = await connection.send(this.path, this.#input, this.#contract.success !== undefined);
    if (reply === undefined || OK.isJson(reply)) return this.#succeeded(connection, reply?.data) as TResult;
    // Made at this end. When the connection has closed, that is what the operation fails with.
    if (!(reply instanceof ERROR)) return this.#failed(connection, reply as ERROR_JSON) as TResult;
    if (!connection.isOpen) return new Promise(() => {});
    throw this.#failure(connection, `no reply that makes sense: ${reply.context?.displayMessage}`, { cause: reply });
  }

  #succeeded(connection: TestConnection, data: unknown): unknown {
    if (this.#errorClass) {
      throw this.#failure(connection, `expected the error ${this.#errorClass.TYPE}`, {
        more: `Received a result:\n${show(data)}`,
      });
    }
    const parsed = this.#contract.success?.safeParse(data, true);
    if (parsed?.success === false) {
      throw this.#failure(connection, "the result does not fit the contract", {
        more: `Received:\n${show(data)}\n\nIssues:\n${show(parsed.issues.toJSON())}`,
      });
    }
    return this.#checked(connection, parsed?.value, "the result");
  }

  #failed(connection: TestConnection, json: ERROR_JSON): unknown {
    const { type, data, context } = json;
    const Expected = this.#errorClass;
    if (Expected?.TYPE !== type) {
      const asked = Expected ? `the error ${Expected.TYPE}` : "a result";
      const shown = { type, ...(data !== undefined && { data }), ...context };
      const cause = GGContractExecutor.createErrorObj(json, [...(this.#contract.errors ?? [])]);
      throw this.#failure(connection, `expected ${asked}`, { more: `Received an error:\n${show(shown)}`, cause });
    }
    const value = type === "VALIDATION_ERROR" ? fieldErrors(data) : data;
    return this.#checked(connection, value, `the data of ${type}`);
  }

  #checked(connection: TestConnection, value: unknown, what: string): unknown {
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

  #mock(expectation: GGSocketExpectation): GGSocketMock<unknown, unknown, unknown> {
    if (expectation instanceof GGSocketMock) return expectation;
    throw new GGSocketTestError(`${this.path}: with() and waitFor() take expectations: api.mock.<method>`);
  }
}
