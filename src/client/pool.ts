import type { ConnectOptions } from "../api/connectOptions.js";
import type { GGWebSocketMiddleware } from "../api/middleware.js";
import type { GGSocket, SocketAdapterClass } from "../api/rawSocket.js";
import type { AnyValidator } from "../api/standardSchema.js";
import { bindMembers } from "../connection/bindMembers.js";
import { CALL_TIMEOUT, type SocketEndpoint } from "../connection/endpoint.js";
import { Heartbeat } from "../connection/heartbeat.js";
import { AdapterTransport } from "../connection/raw/adapterTransport.js";
import { RawConnection, rawSocket } from "../connection/raw/rawSocket.js";
import { attemptContext, connect, type PreparedHandshake, prepareHandshake, readQuery } from "./connect.js";
import type { ClientPlatform } from "./platform/platform.js";
import { socketUrl, withoutSecrets } from "./url.js";

/** Where a raw socket connects to. */
export interface GGSocketPoolConfig<TQuery extends object = Record<string, unknown>> {
  /**
   * `ws://`, `wss://`, `http://` or `https://` with host and port. A path is put in front of `path`, and a query is merged
   * with `query`, which wins.
   */
  readonly domain: string | URL;
  /** The path, for example `"/ws/chat"`. */
  readonly path: string;
  /** Query arguments of the connection. */
  readonly query?: TQuery | undefined;
  /** Checks the query arguments before anything is opened. */
  readonly queryValidator?: AnyValidator<TQuery> | undefined;
  /** Their `updateHandshake` is run, and what they set is part of a connection's identity. */
  readonly middlewares?: readonly GGWebSocketMiddleware[] | undefined;
  /** See `createClient`. A connection is shared by those who pass the same object. Not used with an adapter, nor in pages. */
  readonly connectOptions?: ConnectOptions | undefined;
}

interface PooledSocket {
  readonly socket: GGSocket;
  /** Its readable name. */
  readonly key: string;
}

/** Connections without a contract, shared by URL and handshake headers. Prefer `createClient()` in application code. */
export class SocketPool {
  readonly #platform: ClientPlatform;
  readonly #sockets = new Map<string, PooledSocket>();
  readonly #pending = new Map<string, Promise<GGSocket>>();
  readonly #heartbeat = new Heartbeat();
  /** Numbers of the options that connections were opened with. */
  readonly #optionIds = new WeakMap<ConnectOptions, number>();
  #adapter: SocketAdapterClass | undefined;
  #optionsSeen = 0;
  /** How many connections it has kept. */
  #opened = 0;

  /** @internal */
  constructor(platform: ClientPlatform) {
    this.#platform = platform;
    bindMembers(this);
  }

  /** How many connections are open. */
  get size(): number {
    return this.#sockets.size;
  }

  /** How many connections are being opened. */
  get pendingSize(): number {
    return this.#pending.size;
  }

  /**
   * The keys of the open connections, for debugging. They name headers and query arguments, and show no value of any.
   */
  getConnectionKeys(): string[] {
    return [...this.#sockets.values()].map(({ key }) => key);
  }

  /**
   * The connection of this URL and these headers, opened when there is none. Callers at the same time share it.
   *
   * @throws VALIDATION_ERROR for bad query arguments, the ERROR that the server refused with, or a `SERVER_ERROR` that
   *   says why there is no connection
   */
  async getOrConnect<TQuery extends object>(config: GGSocketPoolConfig<TQuery>): Promise<GGSocket> {
    const handshake = await this.#prepare(config);
    const url = socketUrl(config.domain, config.path, handshake.queryArgs);
    const identity = JSON.stringify([url, Object.entries(handshake.headers).sort(), this.#idOf(config)]);
    const open = this.#sockets.get(identity)?.socket;
    if (open?.isOpen) return open;
    let pending = this.#pending.get(identity);
    if (!pending) {
      const pooled = (socket: GGSocket) => this.#keep(identity, socket, connectionKey(url, handshake, ++this.#opened));
      pending = this.#open(config, url, handshake, pooled).finally(() => this.#pending.delete(identity));
      this.#pending.set(identity, pending);
    }
    return pending;
  }

  /** Opens a connection that the pool does not keep. Throws like {@link getOrConnect}. */
  async connect<TQuery extends object>(config: GGSocketPoolConfig<TQuery>): Promise<GGSocket> {
    const handshake = await this.#prepare(config);
    return this.#open(config, socketUrl(config.domain, config.path, handshake.queryArgs), handshake, () => {});
  }

  /** Closes all connections: once their calls are done, or at once when not `graceful`. */
  async closeAll(graceful = true): Promise<void> {
    const opening = await Promise.allSettled(this.#pending.values());
    const sockets = new Set([...this.#sockets.values()].map(({ socket }) => socket));
    for (const result of opening) if (result.status === "fulfilled") sockets.add(result.value);
    await Promise.all([...sockets].map((socket) => end(socket, graceful)));
  }

  /** Forgets a connection without closing it. Returns whether there was one. */
  removeFromPool(key: string): boolean {
    for (const [identity, pooled] of this.#sockets) if (pooled.key === key) return this.#sockets.delete(identity);
    return false;
  }

  /** Makes connections through another adapter than the platform's own; `undefined` goes back to that. */
  setAdapter(adapter: SocketAdapterClass | undefined): void {
    this.#adapter = adapter;
  }

  #prepare<TQuery extends object>({ path, middlewares = [], query, queryValidator }: GGSocketPoolConfig<TQuery>) {
    const queryArgs = readQuery(query, queryValidator);
    return prepareHandshake(this.#platform, attemptContext(this.#platform, path), middlewares, queryArgs);
  }

  #keep(identity: string, socket: GGSocket, key: string): void {
    this.#sockets.set(identity, { socket, key });
    socket.onClose(() => {
      if (this.#sockets.get(identity)?.socket === socket) this.#sockets.delete(identity);
    });
  }

  #idOf({ connectOptions }: Pick<GGSocketPoolConfig, "connectOptions">): number | undefined {
    if (!connectOptions) return undefined;
    const id = this.#optionIds.get(connectOptions) ?? ++this.#optionsSeen;
    this.#optionIds.set(connectOptions, id);
    return id;
  }

  #open(
    config: Pick<GGSocketPoolConfig, "connectOptions">,
    url: string,
    { headers, context }: PreparedHandshake,
    onSocket: (socket: GGSocket) => void,
  ): Promise<GGSocket> {
    const apiName = "GGSocketPool";
    const scope = this.#platform.captureScope();
    const endpoint: SocketEndpoint = {
      apiName,
      methodTable: new Map(),
      logger: this.#platform.logger(undefined, apiName, scope),
      timeout: CALL_TIMEOUT,
      asyncScope: scope,
      ...this.#platform.endpoint,
      onConnectionClosed: (connection) => this.#heartbeat.delete(connection),
    };
    const Adapter = this.#adapter;
    return connect({
      apiName,
      url,
      headers,
      dial: Adapter ? (to) => new AdapterTransport(new Adapter(to)) : (to) => this.#platform.dial(to, config),
      onAccepted: (transport) => {
        const opened = RawConnection.open(transport, endpoint, context);
        this.#heartbeat.add(opened.connection);
        const socket = rawSocket(opened);
        onSocket(socket);
        return socket;
      },
    });
  }
}

async function end(socket: GGSocket, graceful: boolean): Promise<void> {
  if (graceful) await socket.teardown();
  else socket.close();
  await socket.closed();
}

/** `ws://host/path?room&token::authorization#1`: names only, and the number of the connection in its pool. */
function connectionKey(url: string, { headers, queryArgs }: PreparedHandshake, number: number): string {
  const query = Object.keys(queryArgs).join("&");
  return `${withoutSecrets(url)}${query && `?${query}`}::${Object.keys(headers).sort().join("&")}#${number}`;
}
