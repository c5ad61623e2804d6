import { GGContext, GGContextStore } from "@grest-ts/context";
import type {
  GGWebSocketClientConfig,
  GGWebSocketCloseReason,
  GGWebSocketDisconnectReason,
  GGWebSocketTarget,
} from "../contract/client.js";
import { GG_WS_CONNECTION } from "../contract/contextKeys.js";
import { defaultLogger } from "../contract/logger.js";
import type { GGCallOptions } from "../contract/methodTypes.js";
import type { SchemaDefinition } from "../contract/schema.js";
import type { CompiledMethod } from "../socket/compiledMethod.js";
import { guarded } from "../socket/guarded.js";
import { Handlers } from "../socket/handlers.js";
import { tablesOf } from "../socket/methodTable.js";
import { type AnyError, invalidArguments, type Outcome, serverError } from "../socket/outcome.js";
import { type Caller, type OutgoingMethods, outgoingOf } from "../socket/outgoing.js";
import type { GGSocket } from "../socket/socket.js";
import { NativeTransport } from "../transport/native.js";
import { connect, prepareHandshake } from "./connect.js";
import type { ClientPlatform } from "./platform.js";
import { ReconnectPolicy } from "./reconnect.js";
import { Session } from "./session.js";
import { socketUrl } from "./url.js";

const CALL_TIMEOUT = 30_000;

type Config = GGWebSocketClientConfig<unknown>;

interface Ends {
  readonly incoming: { on(handlers: object): void };
  readonly outgoing: OutgoingMethods;
}

/** Runs a function in the async scope and the context of the caller of `connect()`. */
type Runner = <T>(fn: () => T) => T;

type Setup = (ends: Ends) => unknown;

/** A client of one API: handlers and callbacks, which outlive connections, and the session that makes these. */
export class SocketClient implements Caller, Ends {
  readonly incoming = { on: (handlers: object) => this.#on(handlers) };
  readonly outgoing: OutgoingMethods;
  readonly #schema: SchemaDefinition;
  readonly #config: Config;
  readonly #platform: ClientPlatform;
  readonly #handlers = new Handlers();
  readonly #setups = new Set<Setup>();
  readonly #onDisconnect: ((reason: GGWebSocketDisconnectReason) => void)[] = [];
  readonly #onClose: ((reason: GGWebSocketCloseReason, error?: AnyError) => void)[] = [];
  readonly #onError: ((error: Error) => void)[] = [];
  #session: Session | undefined;

  constructor(schema: SchemaDefinition, config: Config, platform: ClientPlatform) {
    this.#schema = schema;
    this.#config = config;
    this.#platform = platform;
    this.outgoing = outgoingOf(tablesOf(schema).clientToServer, this);
  }

  get isConnected(): boolean {
    return this.#socket?.isOpen ?? false;
  }

  async connect(setup?: Setup): Promise<void> {
    if (!this.#session || this.#session.isEnding) {
      this.#setups.clear();
      if (setup) this.#setups.add(setup);
      this.#session = this.#startSession();
    } else if (setup && !this.#setups.has(setup)) {
      this.#setups.add(setup);
      if (this.isConnected) await setup(this);
    }
    await this.#session.ready;
  }

  async forceReconnect(): Promise<void> {
    this.#session?.reconnectNow();
    await this.connect();
  }

  async disconnect(): Promise<void> {
    const socket = this.#leave();
    await socket?.teardown();
    await socket?.closed();
  }

  close(): void {
    this.#leave()?.close();
  }

  onDisconnect(callback: (reason: GGWebSocketDisconnectReason) => void): this {
    this.#onDisconnect.push(callback);
    return this;
  }

  onClose(callback: (reason: GGWebSocketCloseReason, error?: AnyError) => void): this {
    this.#onClose.push(callback);
    return this;
  }

  onError(callback: (error: Error) => void): this {
    this.#onError.push(callback);
    this.#socket?.onError(callback);
    return this;
  }

  call(method: CompiledMethod, data: unknown, options?: GGCallOptions): Promise<Outcome> {
    const socket = this.#socket;
    if (socket) return socket.call(method, data, options);
    return Promise.resolve(serverError(`WebSocket client ${this.#whyNot} (${method.path} was not sent)`));
  }

  get #socket(): GGSocket | undefined {
    return this.#session?.socket;
  }

  get #whyNot(): string {
    if (!this.#session || this.#session.isEnding) return "is not connected. Call connect() first.";
    if (this.#session.wasConnected) return "has lost its connection and is reconnecting. Await connect() to go on.";
    return "is still connecting. Await connect() first.";
  }

  #on(handlers: object): void {
    this.#handlers.add(handlers);
    this.#socket?.inbox.deliverSoon();
  }

  #leave(): GGSocket | undefined {
    this.#session?.leave();
    return this.#socket;
  }

  #startSession(): Session {
    const { reconnect, logger = defaultLogger } = this.#config;
    const apiName = this.#schema.name;
    const scope = this.#platform.captureScope();
    const caller = GGContextStore.tryGetContext();
    // Everything of the program runs as the caller of connect() would have run it, whatever the event that led to it.
    const run: Runner = (fn) => scope(() => (caller ? caller.run(fn) : fn()));
    const tell = (callbacks: readonly (() => void)[]) => {
      for (const callback of callbacks) guarded({ apiName, logger }, () => run(callback));
    };
    return new Session({
      apiName,
      policy: reconnect ? new ReconnectPolicy(Object(reconnect)) : undefined,
      open: (onSocket, signal) => this.#open(run, caller, onSocket, signal),
      onWake: this.#platform.onWake,
      onDisconnect: (reason) => tell(this.#onDisconnect.map((callback) => () => callback(reason))),
      onEnd: (reason, error) => tell(this.#onClose.map((callback) => () => callback(reason, error))),
    });
  }

  async #open(
    run: Runner,
    caller: GGContext | undefined,
    onSocket: (socket: GGSocket) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { name, path, middlewares } = this.#schema;
    const { serverToClient: table, errors } = tablesOf(this.#schema);
    const { beforeConnect, logger = defaultLogger, timeout = CALL_TIMEOUT, webSocket: Native } = this.#config;
    const fresh = (await run(() => beforeConnect?.())) as GGWebSocketTarget<unknown> | undefined;
    const target = { ...this.#config, ...fresh };
    const base = await this.#baseUrl(target.url);
    const { headers, queryArgs } = run(() =>
      prepareHandshake([...middlewares, ...(target.middlewares ?? [])], this.#query(target.query)),
    );
    const socket = await connect({
      url: socketUrl(base, path, queryArgs),
      headers,
      endpoint: {
        apiName: name,
        table,
        logger,
        metrics: undefined,
        timeout,
        scope: run,
      },
      context: new GGContext("ws-client-connection", caller).set(GG_WS_CONNECTION, { path: base }),
      knownErrors: errors,
      handlers: this.#handlers,
      signal,
      dial: Native ? (url) => new NativeTransport(new Native(url)) : this.#platform.dial,
      onSocket: (opened) => {
        for (const callback of this.#onError) opened.onError(callback);
        onSocket(opened);
      },
    });
    for (const setup of this.#setups) await run(() => setup(this));
    if (this.#handlers.isEmpty) socket.inbox.expectHandlersSoon();
    else socket.inbox.deliverSoon();
  }

  #query(query: unknown): object | undefined {
    const parsed = this.#schema.queryValidator?.safeParse(query ?? {}, true);
    if (parsed?.success === false) throw invalidArguments(parsed.issues.toJSON());
    return (parsed ? parsed.value : query) as object | undefined;
  }

  async #baseUrl(url: string | undefined): Promise<string> {
    const { name } = this.#schema;
    const base = url === undefined ? await this.#platform.discover(name) : url || this.#platform.pageOrigin();
    if (base) return base;
    throw serverError(`${name}: url "" means the page's own origin, and there is no page here; give a URL`);
  }
}
