import { GGContext, GGContextStore } from "@grest-ts/context";
import type { Raw } from "@grest-ts/schema";
import type { GGSocketMethodMap } from "../src/api/contract.js";
import type { GGWebSocketMiddleware } from "../src/api/middleware.js";
import { GGWebSocketSchema } from "../src/api/schema.js";
import { callSite, GGSocketTestError } from "./failure.js";
import { GGSocketCall } from "./GGSocketCall.js";
import { GGSocketMock } from "./GGSocketMock.js";
import type { GGOnTestFinished } from "./runner.js";
import { TestedApi } from "./testedApi.js";
import type { GGTestErrors, GGTestInput, GGTestReply, GGTestSuccess } from "./types.js";

/** A little below the five seconds that test runners give a test: the kit knows better what was missing. */
const TIMEOUT = 4_000;

/** The name under which the framework's own `callOn` finds what makes a schema testable. */
export const CALL_ON_FACTORY: unique symbol = Symbol.for("gg:callOnFactory") as never;

/** How a test reaches an API, and as whom. */
export interface CallOnOptions<TQuery = undefined> {
  /** Where the server is. Default: the server of this process that registered the API last and is still running. */
  readonly url?: string;
  /** Query arguments of the connection. They are not checked at this end. */
  readonly query?: Raw<TQuery>;
  /** What the client's middlewares find their values in. Default: a child of the caller's context. */
  readonly context?: GGContext;
  /** More middlewares; they run after the schema's. */
  readonly middlewares?: readonly GGWebSocketMiddleware[];
  /** How long a reply, and what is expected with it, may take, in ms. Default 4,000. */
  readonly timeout?: number;
  /**
   * Takes a callback for the end of the test: in concurrent tests of vitest the test's own `onTestFinished`, with
   * `node:test` `(callback) => t.after(callback)`. Default: vitest's, where there is vitest.
   */
  readonly onTestFinished?: GGOnTestFinished;
}

/** One client-to-server method as a test calls it. */
export type GGSocketCallFunction<M> = M extends { readonly input: object }
  ? undefined extends GGTestInput<M>
    ? (input?: Raw<GGTestInput<M>>) => GGSocketCall<GGTestInput<M>, GGTestSuccess<M>, GGTestErrors<M>>
    : (input: Raw<GGTestInput<M>>) => GGSocketCall<GGTestInput<M>, GGTestSuccess<M>, GGTestErrors<M>>
  : () => GGSocketCall<undefined, GGTestSuccess<M>, GGTestErrors<M>>;

/** The client-to-server methods of a contract as a test calls them. */
export type GGSocketCallMap<C2S> = { readonly [K in keyof C2S]: GGSocketCallFunction<C2S[K]> };

/** The server-to-client methods of a contract as a test expects them. Each look-up begins a new expectation. */
export type GGSocketMockMap<S2C> = {
  readonly [K in keyof S2C]: GGSocketMock<GGTestInput<S2C[K]>, GGTestReply<S2C[K]>>;
};

/** An API under test, as one client sees it. */
export type GGSocketTester<C2S, S2C> = Omit<GGSocketCallMap<C2S>, "connect" | "disconnect" | "mock"> & {
  /**
   * Opens the connection, if it is not. One that is opened within a test, or in a `beforeEach`, ends with that test; one of
   * a `beforeAll` lasts until `disconnect()`.
   *
   * @throws ERROR that the server refused with
   */
  connect(): Promise<void>;
  /**
   * Closes the connection, once everything has arrived that the server had sent.
   *
   * @throws GGSocketTestError when something came that the test did not expect
   */
  disconnect(): Promise<void>;
  /** What the server may send: expect it, and answer it. */
  readonly mock: GGSocketMockMap<S2C>;
};

/**
 * Puts an API under test, as one client. The connection is made by `connect()`, in the context given, so that the API's
 * own middlewares make the test act as a user.
 *
 * @param schema what `webSocketSchema(…).done()` made
 * @param options a context, or more; see {@link CallOnOptions}
 * @throws GGSocketTestError when the contract has a method called `connect`, `disconnect` or `mock`
 */
export function callOn<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap, TContext, TQuery>(
  schema: GGWebSocketSchema<C2S, S2C, TContext, TQuery>,
  options: GGContext | CallOnOptions<NoInfer<TQuery>> = {},
): GGSocketTester<C2S, S2C> {
  return testerOf(schema, options instanceof GGContext ? { context: options } : options, false);
}

function testerOf<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap, TContext, TQuery>(
  schema: GGWebSocketSchema<C2S, S2C, TContext, TQuery>,
  given: CallOnOptions<NoInfer<TQuery>>,
  isLenient: boolean,
): GGSocketTester<C2S, S2C> {
  const api = new TestedApi(schema, {
    url: given.url,
    query: given.query as object | undefined,
    middlewares: given.middlewares ?? [],
    context: given.context ?? new GGContext("Test", GGContextStore.tryGetContext()),
    timeout: given.timeout ?? TIMEOUT,
    onTestFinished: given.onTestFinished,
    isLenient,
  });
  const mock = {};
  for (const [method, contract] of Object.entries(schema.methods.serverToClient)) {
    const get = (): unknown => new GGSocketMock(api, method, contract, callSite(get));
    Object.defineProperty(mock, method, { enumerable: true, get });
  }
  const tester = { connect: () => api.connect(), disconnect: () => api.disconnect(), mock };
  for (const [method, contract] of Object.entries(schema.methods.clientToServer)) {
    if (Object.hasOwn(tester, method)) {
      throw new GGSocketTestError(
        `${api.name}.${method}: callOn() has a "${method}" of its own; test this API by a client`,
      );
    }
    const value = (input?: unknown): unknown => new GGSocketCall(api, method, contract, input, callSite(value));
    Object.defineProperty(tester, method, { enumerable: true, value });
  }
  return tester as unknown as GGSocketTester<C2S, S2C>;
}

Object.defineProperty(GGWebSocketSchema.prototype, CALL_ON_FACTORY, {
  configurable: true,
  value(this: GGWebSocketSchema<GGSocketMethodMap, GGSocketMethodMap>, context?: GGContext): unknown {
    return testerOf(this, { context }, true);
  },
});
