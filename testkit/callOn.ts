import { GGContext, GGContextStore } from "@grest-ts/context";
import type { Raw } from "@grest-ts/schema";
import type { GGSocketMethodMap } from "../src/api/contract.js";
import type { GGWebSocketMiddleware } from "../src/api/middleware.js";
import { checkOptions, TEST_OPTIONS } from "../src/api/optionChecks.js";
import { GGWebSocketSchema } from "../src/api/schema.js";
import { callSite, GGSocketTestError } from "./failure.js";
import { GGSocketCall } from "./GGSocketCall.js";
import { GGSocketMock } from "./GGSocketMock.js";
import type { GGOnTestFinished } from "./runner.js";
import { TestedApi } from "./testedApi.js";
import type { GGTestErrors, GGTestGiven, GGTestInput, GGTestReply, GGTestSuccess } from "./types.js";

/** Below the five seconds of test runners, so that the kit can report what is missing before they time out. */
const TIMEOUT = 4_000;

/** The key under which the framework's own `callOn` finds the tester factory of a schema. */
export const CALL_ON_FACTORY: unique symbol = Symbol.for("gg:callOnFactory") as never;

/** How a test reaches an API, and as whom. */
export interface CallOnOptions<TQuery = undefined> {
  /** Where the server is. Default: the server of this process that registered the API last and is still running. */
  readonly url?: string | undefined;
  /** Query arguments of the connection. They are sent unchecked. */
  readonly query?: Raw<TQuery> | undefined;
  /** The context of the client's middlewares. Default: a child of the caller's context. */
  readonly context?: GGContext | undefined;
  /** Additional middlewares; they run after the schema's. */
  readonly middlewares?: readonly GGWebSocketMiddleware[] | undefined;
  /** Timeout of a reply and of the expectations with it, in ms. Default 4,000. */
  readonly timeout?: number | undefined;
  /**
   * Registers a callback for the end of the test: in concurrent vitest tests the test's own `onTestFinished`, with
   * `node:test` `(callback) => t.after(callback)`. Default: vitest's, if vitest runs.
   */
  readonly onTestFinished?: GGOnTestFinished | undefined;
}

/** One client-to-server method as a test calls it. */
export type GGSocketCallFunction<M> = M extends { readonly input: object }
  ? undefined extends GGTestGiven<M>
    ? (input?: GGTestGiven<M>) => GGSocketCall<GGTestGiven<M>, GGTestSuccess<M>, GGTestErrors<M>>
    : (input: GGTestGiven<M>) => GGSocketCall<GGTestGiven<M>, GGTestSuccess<M>, GGTestErrors<M>>
  : () => GGSocketCall<undefined, GGTestSuccess<M>, GGTestErrors<M>>;

/** The client-to-server methods of a contract as a test calls them. */
export type GGSocketCallMap<C2S> = { readonly [K in keyof C2S]: GGSocketCallFunction<C2S[K]> };

/** The server-to-client methods of a contract as a test expects them. Each access creates a new expectation. */
export type GGSocketMockMap<S2C> = {
  readonly [K in keyof S2C]: GGSocketMock<GGTestInput<S2C[K]>, GGTestReply<S2C[K]>>;
};

/** An API under test, as one client sees it. */
export type GGSocketTester<C2S, S2C> = Omit<GGSocketCallMap<C2S>, "connect" | "disconnect" | "mock"> & {
  /**
   * Opens the connection unless it is open. If opened in a test or a `beforeEach`, it closes with that test; if opened
   * in a `beforeAll`, it lasts until `disconnect()`.
   *
   * @throws ERROR with which the server rejects the handshake
   */
  connect(): Promise<void>;
  /**
   * Closes the connection after everything that the server has sent has arrived.
   *
   * @throws GGSocketTestError when a message arrived that the test did not expect
   */
  disconnect(): Promise<void>;
  /** What the server may send: expect it, and answer it. */
  readonly mock: GGSocketMockMap<S2C>;
};

/**
 * Tests an API as one client. `connect()` opens the connection in the given context, so that the API's own middlewares
 * authenticate the test as a user.
 *
 * @param schema what `webSocketSchema(…).done()` made
 * @param options a context, or an object; see {@link CallOnOptions}
 * @throws GGSocketTestError when the contract has a method called `connect`, `disconnect` or `mock`
 */
export function callOn<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap, TContext, TQuery>(
  schema: GGWebSocketSchema<C2S, S2C, TContext, TQuery>,
  options: GGContext | CallOnOptions<NoInfer<TQuery>> = {},
): GGSocketTester<C2S, S2C> {
  const warn = (message: string) => console.warn(message);
  if (!(options instanceof GGContext))
    checkOptions({ apiName: schema.name, call: "callOn", warn }, options, TEST_OPTIONS);
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
    Object.defineProperty(mock, method, { configurable: true, enumerable: true, get });
  }
  const tester = { connect: () => api.connect(), disconnect: () => api.disconnect(), mock };
  for (const [method, contract] of Object.entries(schema.methods.clientToServer)) {
    if (Object.hasOwn(tester, method)) {
      throw new GGSocketTestError(
        `${api.name}.${method}: callOn() reserves the name "${method}"; test this API with a client`,
      );
    }
    const value = (input?: unknown): unknown => new GGSocketCall(api, method, contract, input, callSite(value));
    Object.defineProperty(tester, method, { configurable: true, enumerable: true, writable: true, value });
  }
  return tester as unknown as GGSocketTester<C2S, S2C>;
}

Object.defineProperty(GGWebSocketSchema.prototype, CALL_ON_FACTORY, {
  configurable: true,
  value(this: GGWebSocketSchema<GGSocketMethodMap, GGSocketMethodMap>, context?: GGContext): unknown {
    return testerOf(this, { context }, true);
  },
});
