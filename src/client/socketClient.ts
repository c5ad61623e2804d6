import { GGContextStore } from "@grest-ts/context";
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
import { type CompiledMethod, clean } from "../socket/compiledMethod.js";
import { Connection } from "../socket/connection.js";
import { CALL_TIMEOUT, type SocketEndpoint } from "../socket/endpoint.js";
import { guarded } from "../socket/guarded.js";
import { Handlers } from "../socket/handlers.js";
import { tablesOf } from "../socket/methodTable.js";
import { type AnyError, invalidArguments, type Outcome, serverError } from "../socket/outcome.js";
import { type Caller, type OutgoingMethods, outgoingClass } from "../socket/outgoing.js";
import { nativeTransport } from "../transport/native.js";
import { connect, prepareHandshake } from "./connect.js";
import type { ClientPlatform } from "./platform.js";
import { ReconnectPolicy } from "./reconnect.js";
import { Session } from "./session.js";
import { socketUrl } from "./url.js";

type Config = GGWebSocketClientConfig<unknown>;

interface Ends {
  readonly incoming: { on(handlers: object): void };
  readonly outgoing: OutgoingMethods;
}

type Setup = (ends: Ends) => unknown;

/** A client of one API: handlers and callbacks, which outlive connections, and the session that makes these. */
export class SocketClient implements Caller, Ends {
  readonly incoming = {
    on: (handlers: object) => {
      this.#handlers.add(handlers);
      this.#connection?.inbox.deliverSoon();
    },
  };
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
    this.outgoing = new (outgoingClass(tablesOf(schema).clientToServer))(this);
  }

  get isConnected(): boolean {
    return this.#connection?.isOpen ?? false;
  }

  async connect(setup?: Setup): Promise<void> {
    if (!this.#session || this.#session.isEnding) {
      this.#setups.clear();
      this.#session = this.#startSession();
    }
    if (setup && !this.#setups.has(setup)) {
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
    this.#session?.leave();
    await this.#connection?.finish();
  }

  close(): void {
    this.#session?.leave();
    this.#connection?.close();
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
    return this;
  }

  call(method: CompiledMethod, data: unknown, options?: GGCallOptions): Promise<Outcome> {
    const connection = this.#connection;
    if (connection) return connection.calls.call(method, data, options);
    return Promise.resolve(serverError(`WebSocket client ${this.#whyNot} (${method.path} was not sent)`));
  }

  get #connection(): Connection | undefined {
    return this.#session?.connection;
  }

  get #whyNot(): string {
    if (!this.#session || this.#session.isEnding) return "is not connected. Call connect() first.";
    if (this.#session.wasConnected) return "has lost its connection and is reconnecting. Await connect() to go on.";
    return "is still connecting. Await connect() first.";
  }

  #startSession(): Session {
    const { reconnect, logger = defaultLogger, timeout = CALL_TIMEOUT } = this.#config;
    // Everything of the program runs as the caller of connect() would have run it, whatever the event that led to it.
    const endpoint: SocketEndpoint = {
      apiName: this.#schema.name,
      table: tablesOf(this.#schema).serverToClient,
      logger,
      timeout,
      scope: this.#platform.captureScope(),
    };
    const tell = <T extends unknown[]>(callbacks: readonly ((...args: T) => void)[], ...args: T) => {
      for (const callback of callbacks) guarded(endpoint, () => callback(...args));
    };
    return new Session({
      apiName: endpoint.apiName,
      policy: reconnect ? new ReconnectPolicy(Object(reconnect)) : undefined,
      open: (onOpen, signal) => this.#open(endpoint, onOpen, signal),
      onWake: this.#platform.onWake,
      onDisconnect: (reason) => tell(this.#onDisconnect, reason),
      onEnd: (reason, error) => tell(this.#onClose, reason, error),
    });
  }

  async #open(endpoint: SocketEndpoint, onOpen: (connection: Connection) => void, signal: AbortSignal): Promise<void> {
    const { scope } = endpoint;
    const { name, path, middlewares } = this.#schema;
    const { beforeConnect, webSocket: Native } = this.#config;
    const fresh = await scope(() => beforeConnect?.());
    const target: GGWebSocketTarget<unknown> = { ...this.#config, ...fresh };
    const base = await this.#baseUrl(target.url);
    const { headers, queryArgs } = scope(() =>
      prepareHandshake([...middlewares, ...(target.middlewares ?? [])], this.#query(target.query)),
    );
    const { inbox } = await connect({
      apiName: name,
      url: socketUrl(base, path, queryArgs),
      headers,
      knownErrors: tablesOf(this.#schema).errors,
      signal,
      dial: Native ? (url) => nativeTransport(new Native(url)) : this.#platform.dial,
      accept: (transport) => {
        const context = scope(() => GGContextStore.branch("ws-client-connection"));
        context.set(GG_WS_CONNECTION, { path: base });
        const connection = new Connection(transport, endpoint, context, this.#handlers);
        connection.errorCallbacks = this.#onError;
        onOpen(connection);
        return connection;
      },
    });
    for (const setup of this.#setups) await scope(() => setup(this));
    inbox.expectNoMoreHandlers();
  }

  #query(query: unknown): object | undefined {
    const { queryValidator } = this.#schema;
    return (queryValidator ? clean(queryValidator, query ?? {}, invalidArguments) : query) as object | undefined;
  }

  async #baseUrl(url: string | undefined): Promise<string> {
    const { name } = this.#schema;
    const base = url === undefined ? await this.#platform.discover(name) : url || this.#platform.pageOrigin();
    if (base) return base;
    throw serverError(`${name}: url "" means the page's own origin, and there is no page here; give a URL`);
  }
}
