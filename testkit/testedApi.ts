import type { GGContext } from "@grest-ts/context";
import type { GGWebSocketMiddleware } from "../src/api/middleware.js";
import type { ServableSchema } from "../src/api/schema.js";
import { locate } from "../src/connection/locate.js";
import { runningServerOf } from "../src/server/running.js";
import type { ActionLedger, PendingAction } from "./action.js";
import { TestConnection } from "./connection.js";
import { type CallSite, GGSocketTestError, warn } from "./failure.js";
import { atTestEnd, currentTest, type GGOnTestFinished, loadVitest } from "./runner.js";
import { type Ending, endWithTest, throwAll } from "./testEnd.js";

/** Settings of a tested API; see `CallOnOptions`. */
export interface TestedApiConfig {
  readonly url: string | undefined;
  readonly query: object | undefined;
  readonly middlewares: readonly GGWebSocketMiddleware[];
  readonly context: GGContext;
  readonly timeout: number;
  readonly onTestFinished: GGOnTestFinished | undefined;
  /**
   * Whether the framework's own `callOn` created this: a connection then lasts until `disconnect()`, and unexpected
   * messages are only warned about, because existing suites rely on that.
   */
  readonly isLenient: boolean;
}

/** The part of the framework's test runner that locates servers in workers. */
interface FrameworkRunner {
  readonly discoveryServer?: { getRoutingUrl(apiName: string): string | null | Promise<string | null> };
}

/** One client of an API in a test: its connection, and the state that outlives a connection. */
export class TestedApi implements ActionLedger, Ending {
  readonly #schema: ServableSchema;
  readonly #config: TestedApiConfig;
  readonly #pending = new Set<PendingAction>();
  #connection: TestConnection | undefined;
  #connecting: Promise<void> | undefined;
  /** Set if the connection outlives tests: registers the check at the end of the running test. */
  #watch: (() => void) | undefined;

  constructor(schema: ServableSchema, config: TestedApiConfig) {
    this.#schema = schema;
    this.#config = config;
  }

  get name(): string {
    return this.#schema.name;
  }

  get timeout(): number {
    return this.#config.timeout;
  }

  /** See `TestedApiConfig`. */
  get isLenient(): boolean {
    return this.#config.isLenient;
  }

  /** The open connection; throws when there is none. */
  connection(path: string, site: CallSite): TestConnection {
    const connection = this.#connection;
    if (connection?.isOpen) {
      this.#watch?.();
      return connection;
    }
    const why = connection ? `${connection.ended}. Call connect() again` : "call connect() first";
    throw new GGSocketTestError(`${path}: there is no connection: ${why}`, { site });
  }

  made(action: PendingAction): void {
    this.#pending.add(action);
  }

  used(action: PendingAction): void {
    this.#pending.delete(action);
  }

  async connect(): Promise<void> {
    if (this.#connection?.isOpen) return;
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    await this.#connecting;
  }

  async disconnect(): Promise<void> {
    await this.settle();
    await this.#connection?.close();
    this.#report(this.takeFailures(false));
  }

  async settle(): Promise<void> {
    await this.#connection?.settle();
  }

  async close(): Promise<void> {
    await this.#connection?.close();
    this.#connection?.takeUnexpected();
  }

  /** Removes and returns the unreported failures. A failed test has not run to its end, so only problems count. */
  takeFailures(hasFailed: boolean): GGSocketTestError[] {
    const never = [...this.#pending].map(
      ({ path, site }) => new GGSocketTestError(`${path}: never awaited, so nothing was sent or checked`, { site }),
    );
    this.#pending.clear();
    const unexpected = this.#connection?.takeUnexpected() ?? [];
    return [...(this.#connection?.takeProblems() ?? []), ...(hasFailed ? [] : [...unexpected, ...never])];
  }

  async #connect(): Promise<void> {
    const { name, path, methods, middlewares } = this.#schema;
    const { query, timeout, context, isLenient } = this.#config;
    // The server closed the previous connection; report its remaining messages.
    this.#report([...(this.#connection?.takeProblems() ?? []), ...(this.#connection?.takeUnexpected() ?? [])]);
    if (!isLenient) await this.#joinTest();
    const local = this.#config.url === undefined ? runningServerOf(this.#schema) : undefined;
    const url = this.#config.url ?? local ?? (await this.#routedUrl());
    if (url === undefined) {
      throw new GGSocketTestError(
        `${name}: no running server of this process has registered it. Register it and start its HTTP server before connect(), or set the URL: callOn(${name}, { url })`,
      );
    }
    this.#connection = await context.run(() =>
      TestConnection.open({
        apiName: name,
        url,
        isLocal: local !== undefined,
        path,
        query,
        middlewares: [...middlewares, ...this.#config.middlewares],
        methods,
        timeout,
        isLenient,
        onUnexpected: () => this.#watch?.(),
      }),
    );
  }

  /** The URL to which the framework's runner routes this API, if it runs the server in another process. */
  async #routedUrl(): Promise<string | undefined> {
    const { discoveryServer } = Object(locate("GGTestRunner")) as FrameworkRunner;
    if (!discoveryServer) return undefined;
    try {
      return (await discoveryServer.getRoutingUrl(this.name)) ?? undefined;
    } catch (error) {
      throw new GGSocketTestError(`${this.name}: the test runner does not provide the server's URL`, { cause: error });
    }
  }

  #report(failures: readonly GGSocketTestError[]): void {
    if (this.#config.isLenient) failures.forEach(warn);
    else throwAll(failures);
  }

  /** Makes unexpected messages fail the test that is running. */
  async #joinTest(): Promise<void> {
    this.#watch = undefined;
    const vitest = this.#config.onTestFinished ? undefined : await loadVitest();
    const onTestFinished = this.#config.onTestFinished ?? vitest?.onTestFinished;
    if (currentTest(vitest)?.concurrent) {
      throw new GGSocketTestError(
        `${this.name}: vitest does not report which concurrent test is running. Pass it: test.concurrent("…", ({ onTestFinished }) => … callOn(${this.name}, { onTestFinished }))`,
      );
    }
    const test = this.#config.onTestFinished ?? currentTest(vitest) ?? this;
    if (endWithTest(test, onTestFinished, this)) return;
    // The connection serves several tests: each checks it at its own end.
    let watching: object | undefined;
    this.#watch = () => {
      const test = currentTest(vitest);
      if (!test || test === watching) return;
      watching = test;
      atTestEnd(onTestFinished, async (hasFailed) => {
        watching = undefined;
        await this.settle();
        throwAll(this.takeFailures(hasFailed));
      });
    };
  }
}
