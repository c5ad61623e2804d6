import type { GGContext } from "@grest-ts/context";
import type { GGWebSocketMiddleware } from "../src/api/middleware.js";
import type { SchemaDefinition } from "../src/api/schema.js";
import { locate } from "../src/connection/locate.js";
import { runningServerOf } from "../src/server/running.js";
import type { ActionLedger, PendingAction } from "./action.js";
import { TestConnection } from "./connection.js";
import { type CallSite, GGSocketTestError, warn } from "./failure.js";
import { atTestEnd, currentTest, type GGOnTestFinished, loadVitest } from "./runner.js";
import { type Ending, endWithTest, throwAll } from "./testEnd.js";

/** What a tested API is made with; see `CallOnOptions`. */
export interface TestedApiConfig {
  readonly url: string | undefined;
  readonly query: object | undefined;
  readonly middlewares: readonly GGWebSocketMiddleware[];
  readonly context: GGContext;
  readonly timeout: number;
  readonly onTestFinished: GGOnTestFinished | undefined;
  /**
   * Whether this is reached through the framework's own `callOn`: a connection then lasts until `disconnect()`, and what no
   * test expects is only warned about, as the suites written for that rest on.
   */
  readonly isLenient: boolean;
}

/** What the framework's test runner says of servers that run in workers. */
interface FrameworkRunner {
  readonly discoveryServer?: { getRoutingUrl(apiName: string): string | null | Promise<string | null> };
}

/** One user of an API in a test: its connection, and what belongs to the test and not to the connection. */
export class TestedApi implements ActionLedger, Ending {
  readonly #schema: SchemaDefinition;
  readonly #config: TestedApiConfig;
  readonly #pending = new Set<PendingAction>();
  #connection: TestConnection | undefined;
  #connecting: Promise<void> | undefined;
  /** Set where the connection outlives tests: makes the running test check it at its end. */
  #watch: (() => void) | undefined;

  constructor(schema: SchemaDefinition, config: TestedApiConfig) {
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

  /** The open connection, for an action. */
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

  /** What nobody has heard of. A test that has failed had no chance to expect the rest, so it hears only of what went wrong. */
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
    // The server ended the one before, and nobody has looked at what it had said.
    this.#report([...(this.#connection?.takeProblems() ?? []), ...(this.#connection?.takeUnexpected() ?? [])]);
    if (!isLenient) await this.#joinTest();
    const local = this.#config.url === undefined ? runningServerOf(this.#schema) : undefined;
    const url = this.#config.url ?? local ?? (await this.#routedUrl());
    if (url === undefined) {
      throw new GGSocketTestError(
        `${name}: no running server of this process has registered it. Register it and start its GGHttpServer before connect(), or say where it is: callOn(${name}, { url })`,
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

  /** Where the framework's runner routes calls of this API to, when it runs the server in another process. */
  async #routedUrl(): Promise<string | undefined> {
    const { discoveryServer } = Object(locate("GGTestRunner")) as FrameworkRunner;
    if (!discoveryServer) return undefined;
    try {
      return (await discoveryServer.getRoutingUrl(this.name)) ?? undefined;
    } catch (error) {
      throw new GGSocketTestError(`${this.name}: the test runner does not say where the server is`, { cause: error });
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
        `${this.name}: of concurrent tests, vitest does not say which is running. Tell: test.concurrent("…", ({ onTestFinished }) => … callOn(${this.name}, { onTestFinished }))`,
      );
    }
    const test = this.#config.onTestFinished ?? currentTest(vitest) ?? this;
    if (endWithTest(test, onTestFinished, this)) return;
    // Made for several tests: each looks after it at its own end.
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
