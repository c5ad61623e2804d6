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
import type { AsyncScope, SocketEndpoint } from "../socket/endpoint.js";
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
    if (this.#session.isReconnecting) return "has lost its connection and is reconnecting. Await connect() to go on.";
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
    const { reconnect } = this.#config;
    const scope = this.#platform.captureScope();
    const caller = GGContextStore.tryGetContext();
    // Callbacks run as the caller of connect() would have run them, whatever the event was that led to them.
    const tell = <A extends unknown[]>(callbacks: readonly ((...args: A) => void)[], ...args: A) => {
      for (const callback of callbacks) this.#guard(() => inScope(scope, caller, () => callback(...args)));
    };
    return new Session({
      apiName: this.#schema.name,
      policy: reconnect ? new ReconnectPolicy(reconnect === true ? {} : reconnect) : undefined,
      open: (onSocket, signal) => this.#open(scope, caller, onSocket, signal),
      onWake: this.#platform.onWake,
      onDisconnect: (reason) => tell(this.#onDisconnect, reason),
      onEnd: (reason, error) => tell(this.#onClose, reason, error),
    });
  }

  async #open(
    scope: AsyncScope,
    caller: GGContext | undefined,
    onSocket: (socket: GGSocket) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { beforeConnect, logger = defaultLogger, timeout = CALL_TIMEOUT, webSocket: Native } = this.#config;
    const target: GGWebSocketTarget<unknown> = {
      ...this.#config,
      ...(await inScope(scope, caller, () => beforeConnect?.())),
    };
    const base = await this.#baseUrl(target.url);
    const context = new GGContext("ws-client-connection", caller).set(GG_WS_CONNECTION, { path: base });
    const { headers, queryArgs } = inScope(scope, caller, () =>
      prepareHandshake([...this.#schema.middlewares, ...(target.middlewares ?? [])], this.#query(target.query)),
    );
    const table = tablesOf(this.#schema).serverToClient;
    const endpoint: SocketEndpoint = { apiName: this.#schema.name, table, logger, metrics: undefined, timeout, scope };
    const socket = await connect(
      {
        url: socketUrl(base, this.#schema.path, queryArgs),
        headers,
        endpoint,
        context,
        signal,
        handlers: this.#handlers,
        dial: Native ? (url) => new NativeTransport(new Native(url)) : this.#platform.dial,
      },
      (opened) => {
        for (const callback of this.#onError) opened.onError(callback);
        onSocket(opened);
      },
    );
    for (const setup of this.#setups) await inScope(scope, caller, () => setup(this));
    if (this.#handlers.isEmpty) socket.inbox.expectHandlersSoon();
    else socket.inbox.deliverSoon();
  }

  #query(query: unknown): object | undefined {
    const validator = this.#schema.queryValidator;
    if (!validator) return query as object | undefined;
    const parsed = validator.safeParse(query ?? {}, true);
    if (!parsed.success) throw invalidArguments(parsed.issues.toJSON());
    return parsed.value as object;
  }

  async #baseUrl(url: string | undefined): Promise<string> {
    if (url === undefined) return this.#platform.discover(this.#schema.name);
    if (url !== "") return url;
    const origin = this.#platform.pageOrigin();
    if (origin) return origin;
    throw serverError(
      `${this.#schema.name}: url "" means the page's own origin, and there is no page here; give a URL`,
    );
  }

  #guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      (this.#config.logger ?? defaultLogger).error(`${this.#schema.name}: a callback threw`, { error });
    }
  }
}

/** Runs `fn` in a captured async scope and, where that does not carry it, in the context of that moment. */
function inScope<T>(scope: AsyncScope, context: GGContext | undefined, fn: () => T): T {
  return scope(() => (context ? context.run(fn) : fn()));
}
