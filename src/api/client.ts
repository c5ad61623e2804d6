import type { ERROR, Raw } from "@grest-ts/schema";
import type { GGWebSocketCapability } from "../protocol/capabilities.js";
import type { ConnectOptions, WebSocketClass } from "./connectOptions.js";
import type { GGWebSocketLogger } from "./logger.js";
import type { GGSocketCalls, GGWebSocketClientIncoming } from "./methodTypes.js";
import type { GGWebSocketMiddleware } from "./middleware.js";
import type { GGResume } from "./resume.js";
import type { Unsubscribe } from "./unsubscribe.js";

/** Where a client connects to, and with what; `beforeConnect` may replace it for every attempt. */
export interface GGWebSocketTarget<TQuery = undefined> {
  /**
   * Where the server is: `ws://`, `wss://`, `http://` or `https://` with host and port. A path is put in front of that of
   * the schema, and a query is merged with `query`, which wins. In a browser `""` means the page's own origin. Absent, in
   * Node: looked up through `@grest-ts/discovery`.
   */
  readonly url?: string | URL | undefined;
  /** Query arguments of the connection, typed by `.queryOnConnect()`. */
  readonly query?: Raw<TQuery> | undefined;
  /** More middlewares; they run after the schema's. */
  readonly middlewares?: readonly GGWebSocketMiddleware[] | undefined;
  /** How a client in Node connects: its certificates, agent, HTTP headers and so on. Not used with `webSocket`, nor in pages. */
  readonly connectOptions?: ConnectOptions | undefined;
}

type Target<TQuery> = GGWebSocketTarget<TQuery>;

/** Options of `createClient`. */
export interface GGWebSocketClientConfig<TQuery = undefined> extends GGWebSocketTarget<TQuery> {
  /** How long a call waits for its reply, in ms. Default 30,000. A call may bring its own. */
  readonly timeout?: number | undefined;
  /**
   * Whether to reconnect when the connection drops, and how. Default `false`; `true` uses the defaults of the options.
   */
  readonly reconnect?: boolean | GGReconnectOptions | undefined;
  /**
   * What `resumeGroups()` returns: after a reconnect, what the client's groups have sent meanwhile comes first. Default: it
   * gets what is sent from then on.
   */
  readonly resume?: GGResume | undefined;
  /**
   * Awaited before every attempt to connect, to fetch a fresh token or to pick another server. What it returns replaces
   * the options of the same name.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is one of them
  readonly beforeConnect?: (() => Target<TQuery> | void | Promise<Target<TQuery> | void>) | undefined;
  /**
   * How many bytes may wait to be sent when the server reads too slowly. Beyond, a `droppable` message is dropped, and
   * anything else closes the connection with 1013: what it was settles with a `SERVER_ERROR` (`limit`). Default 64 MiB.
   */
  readonly maxOutboxBytes?: number | undefined;
  /**
   * The protocol extensions that are offered to the server (PROTOCOL.md, "Capabilities"). Default: all, but `drain`
   * only with `reconnect`, and `resume` only with `resume`. `[]` speaks the plain protocol of 0.0.39.
   */
  readonly capabilities?: readonly GGWebSocketCapability[] | undefined;
  /**
   * The `WebSocket` class to connect with, such as a runtime's global one or that of undici. Default: `ws` in Node, the
   * global one in browsers.
   */
  readonly webSocket?: WebSocketClass | undefined;
  /**
   * Where warnings and errors go. Default: the framework's log (`GGLog`) of the caller's scope, in Node; else
   * `console`.
   */
  readonly logger?: GGWebSocketLogger | undefined;
}

/**
 * Where a client is in its life:
 *
 * - `"idle"`: before the first `connect()`
 * - `"connecting"`: from `connect()` until there is a connection and its set-ups are done
 * - `"connected"`: calls can be made; also while a connection is replaced, because its server restarts
 * - `"reconnecting"`: the connection was lost, and another follows
 * - `"closed"`: ended by the program, or for good; `connect()` may follow
 */
export type ClientState = "idle" | "connecting" | "connected" | "reconnecting" | "closed";

/** What is known of a client's state. */
export interface ClientStateDetail {
  /** How many attempts there were since there was a connection, with the one that is under way; 0 when connected. */
  readonly attempt: number;
  /** When the next attempt follows, in ms since 1970, while the client waits for it. */
  readonly nextTryAt?: number | undefined;
  /** Why there is no connection, as far as it is known; `failureOf(error)` says it to programs. */
  readonly error?: ERROR<string, unknown> | undefined;
}

/** How a client reconnects. The delay before each attempt is random, up to a growing limit (full jitter). */
export interface GGReconnectOptions {
  /**
   * Whether the first connect is retried as well, so that `connect()` waits for a server that is not there yet. Calls
   * settle meanwhile with a `SERVER_ERROR` (`not-connected`). Default `false`: it rejects at the first failure.
   */
  readonly initial?: boolean | undefined;
  /** The limit before the first attempt, in ms. Default 500. */
  readonly initialDelayMs?: number | undefined;
  /** The limit never grows beyond this, in ms. Default 30,000. */
  readonly maxDelayMs?: number | undefined;
  /** The factor of the limit's growth after every failed attempt. Default 2. */
  readonly multiplier?: number | undefined;
  /** Consecutive failed attempts after which it gives up. Default: unlimited. */
  readonly maxAttempts?: number | undefined;
  /**
   * Whether an attempt makes sense after this error. Default: not after `NOT_AUTHORIZED`, `FORBIDDEN`,
   * `VALIDATION_ERROR`, nor after a close code that says that this client is at fault (docs/errors.md, "Close codes").
   */
  readonly shouldRetry?: ((error: ERROR<string, unknown>, attempt: number) => boolean) | undefined;
}

/** Both directions of a client, as the callback of `connect(setup)` gets them. */
export interface GGWebSocketClientEnds<C2S, S2C> {
  /** Sets handlers of what the server sends. */
  readonly incoming: GGWebSocketClientIncoming<S2C>;
  /** One function for each method that the server handles. */
  readonly outgoing: GGSocketCalls<C2S>;
}

/** Why a connection ended: `"manual"` when this program ended it, `"drop"` when the server or the network did. */
export type GGWebSocketDisconnectReason = "manual" | "drop";

/**
 * Why there will be no connection any more: `"manual"` after `disconnect()` or `close()`, `"drop"` without `reconnect`,
 * `"unrecoverable"` when trying again makes no sense, `"exhausted"` after `maxAttempts`.
 */
export type GGWebSocketCloseReason = GGWebSocketDisconnectReason | "unrecoverable" | "exhausted";

/** A typed client, made by `createClient()`. It is not connected until `connect()`. */
export interface GGWebSocketClient<C2S, S2C> extends GGWebSocketClientEnds<C2S, S2C> {
  /** Whether calls can be made right now. */
  readonly isConnected: boolean;
  /** Where the client is in its life. */
  readonly state: ClientState;
  /**
   * Opens the connection and runs the handshake. While connecting, connected or reconnecting, it joins the current
   * session. Within a set-up it resolves at once; in a page only until the first `await` there, after which it waits for itself.
   *
   * @param setup called with both directions, now and after every reconnect, before any message is delivered, until the
   *   session ends; each function once, see {@link onConnect} for one that can be taken back
   * @throws the `ERROR` that the server refused with (`VALIDATION_ERROR` for bad query arguments), or a
   *   `SERVER_ERROR` whose display message says why there is no connection
   */
  connect(setup?: (ends: GGWebSocketClientEnds<C2S, S2C>) => void | Promise<void>): Promise<void>;
  /** Waits for pending calls (5 s at most), then closes. `connect()` may follow. */
  disconnect(): Promise<void>;
  /** Closes at once; pending calls settle with a `SERVER_ERROR`. `connect()` may follow. */
  close(): void;
  /**
   * Terminates the connection and reconnects, without waiting for a dead peer, for the end of a delay, or for an attempt that
   * has taken more than a second; resolves and throws like `connect()`.
   */
  forceReconnect(): Promise<void>;
  /**
   * Runs `setup` for each connection, before any message is delivered and before `connect()` resolves; at once when there
   * is a connection. Unlike one that `connect()` is given, it can be taken back, and outlasts `close()`.
   */
  onConnect(setup: (ends: GGWebSocketClientEnds<C2S, S2C>) => void | Promise<void>): Unsubscribe & this;
  /** Runs `callback` each time the state, or what is known of it, changes. */
  onState(callback: (state: ClientState, detail: ClientStateDetail) => void): Unsubscribe & this;
  /** Runs `callback` each time a connection has ended, whether or not another follows. */
  onDisconnect(callback: (reason: GGWebSocketDisconnectReason) => void): Unsubscribe & this;
  /**
   * Runs `callback` once the client has stopped: no further attempt follows. `error` says why, unless it was
   * `"manual"`.
   */
  onClose(callback: (reason: GGWebSocketCloseReason, error?: ERROR<string, unknown>) => void): Unsubscribe & this;
  /** Runs `callback` with errors that belong to no call, such as a push that does not match the contract. */
  onError(callback: (error: Error) => void): Unsubscribe & this;
}
