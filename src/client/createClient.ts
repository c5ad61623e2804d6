import { GGContext, GGContextStore } from "@grest-ts/context";
import type { GGWebSocketClientConfig, GGWebSocketCloseReason } from "../contract/client.js";
import { GG_WS_CONNECTION } from "../contract/contextKeys.js";
import { defaultLogger } from "../contract/logger.js";
import type { GGCallOptions } from "../contract/methodTypes.js";
import type { SchemaDefinition } from "../contract/schema.js";
import type { CompiledMethod } from "../socket/compiledMethod.js";
import type { SocketEndpoint } from "../socket/endpoint.js";
import { tablesOf } from "../socket/methodTable.js";
import { invalidArguments, type Outcome, serverError } from "../socket/outcome.js";
import { type Caller, type OutgoingMethods, outgoingOf } from "../socket/outgoing.js";
import type { GGSocket } from "../socket/socket.js";
import { connect, prepareHandshake } from "./connect.js";
import type { ClientPlatform } from "./platform.js";
import { socketUrl } from "./url.js";

const CALL_TIMEOUT = 30_000;

type Setup = (ends: {
  readonly incoming: { on(handlers: object): void };
  readonly outgoing: OutgoingMethods;
}) => unknown;

interface Connection {
  readonly socket: GGSocket;
  reason: GGWebSocketCloseReason;
}

/** A client of one API: the connection it has at the moment, and the handlers and callbacks that outlive it. */
export class SocketClient implements Caller {
  readonly incoming = { on: (handlers: object) => this.#on(handlers) };
  readonly outgoing: OutgoingMethods;
  readonly #schema: SchemaDefinition;
  readonly #config: GGWebSocketClientConfig<unknown>;
  readonly #platform: ClientPlatform;
  readonly #handlers = new Set<object>();
  readonly #closeCallbacks: ((reason: GGWebSocketCloseReason) => void)[] = [];
  readonly #errorCallbacks: ((error: Error) => void)[] = [];
  #connection: Connection | undefined;
  #connecting: { readonly done: Promise<void>; readonly abort: AbortController } | undefined;

  constructor(schema: SchemaDefinition, config: GGWebSocketClientConfig<unknown>, platform: ClientPlatform) {
    this.#schema = schema;
    this.#config = config;
    this.#platform = platform;
    this.outgoing = outgoingOf(tablesOf(schema).clientToServer, this);
  }

  get isConnected(): boolean {
    return this.#connection?.socket.isOpen ?? false;
  }

  connect(setup?: Setup): Promise<void> {
    if (this.isConnected) return Promise.resolve();
    if (!this.#connecting) {
      const abort = new AbortController();
      const done = this.#open(setup, abort.signal).finally(() => {
        this.#connecting = undefined;
      });
      this.#connecting = { done, abort };
    }
    return this.#connecting.done;
  }

  async disconnect(): Promise<void> {
    this.#connecting?.abort.abort();
    const connection = this.#connection;
    if (!connection) return;
    connection.reason = "manual";
    await connection.socket.teardown();
    await connection.socket.closed();
  }

  close(): void {
    this.#connecting?.abort.abort();
    if (!this.#connection) return;
    this.#connection.reason = "manual";
    this.#connection.socket.close();
  }

  onClose(callback: (reason: GGWebSocketCloseReason) => void): this {
    this.#closeCallbacks.push(callback);
    return this;
  }

  onError(callback: (error: Error) => void): this {
    this.#errorCallbacks.push(callback);
    this.#connection?.socket.onError(callback);
    return this;
  }

  call(method: CompiledMethod, data: unknown, options?: GGCallOptions): Promise<Outcome> {
    if (this.#connection) return this.#connection.socket.call(method, data, options);
    const what = this.#connecting
      ? "is still connecting. Await connect() first."
      : "is not connected. Call connect() first.";
    return Promise.resolve(serverError(`WebSocket client ${what} (${method.path})`));
  }

  #on(handlers: object): void {
    this.#handlers.delete(handlers);
    this.#handlers.add(handlers);
    this.#connection?.socket.inbox.on(handlers);
  }

  async #open(setup: Setup | undefined, signal: AbortSignal): Promise<void> {
    const { name, path, middlewares, queryValidator } = this.#schema;
    const scope = this.#platform.captureScope();
    const context = new GGContext("ws-client-connection", GGContextStore.tryGetContext());
    const query = queryValidator?.safeParse(this.#config.query, true);
    if (query && !query.success) throw invalidArguments(query.issues.toJSON());
    const handshake = prepareHandshake(
      [...middlewares, ...(this.#config.middlewares ?? [])],
      (query ? query.value : this.#config.query) as object | undefined,
    );
    const base = await this.#baseUrl();
    context.set(GG_WS_CONNECTION, { path: base });
    const endpoint: SocketEndpoint = {
      apiName: name,
      table: tablesOf(this.#schema).serverToClient,
      logger: this.#config.logger ?? defaultLogger,
      metrics: undefined,
      timeout: this.#config.timeout ?? CALL_TIMEOUT,
      scope,
    };
    const url = socketUrl(base, path, handshake.queryArgs);
    const plan = { url, headers: handshake.headers, endpoint, context, dial: this.#platform.dial, signal };
    const socket = await connect(plan, (opened) => this.#opened(opened));
    await setup?.({ incoming: this.incoming, outgoing: this.outgoing });
    socket.inbox.expectHandlersSoon();
  }

  #opened(socket: GGSocket): void {
    const connection: Connection = { socket, reason: "drop" };
    this.#connection = connection;
    for (const handlers of this.#handlers) socket.inbox.on(handlers);
    for (const callback of this.#errorCallbacks) socket.onError(callback);
    socket.onClose(() => {
      if (this.#connection === connection) this.#connection = undefined;
      // Each as a callback of its own, so that one which throws does not keep the others from hearing.
      for (const callback of this.#closeCallbacks) socket.onClose(() => callback(connection.reason));
    });
  }

  async #baseUrl(): Promise<string> {
    const { url } = this.#config;
    if (url === undefined) return this.#platform.discover(this.#schema.name);
    if (url !== "") return url;
    const origin = this.#platform.pageOrigin();
    if (origin) return origin;
    throw serverError(
      `${this.#schema.name}: url "" means the page's own origin, and there is no page here; give a URL`,
    );
  }
}
