import type { GGWebSocketLogger } from "./logger.js";
import type { GGCallOptions, GGSocketCalls, GGWebSocketClientIncoming } from "./methodTypes.js";
import type { GGWebSocketMiddleware } from "./middleware.js";

/** Options of `createClient`. */
export interface GGWebSocketClientConfig<TQuery = undefined> {
  /**
   * Where the server is: `ws://`, `wss://`, `http://` or `https://` with host and port. In a browser `""` means the
   * page's own origin. Absent, in Node: looked up through `@grest-ts/discovery`.
   */
  readonly url?: string;
  /** Query arguments of the connection, typed by `.queryOnConnect()`. */
  readonly query?: TQuery;
  /** More middlewares; they run after the schema's. */
  readonly middlewares?: readonly GGWebSocketMiddleware[];
  /** How long a call waits for its reply, in ms. Default 30,000. A call may bring its own. */
  readonly timeout?: number;
  /** Where warnings and errors go. Default: `console`. */
  readonly logger?: GGWebSocketLogger;
}

/** Both directions of a client, as the callback of `connect(setup)` gets them. */
export interface GGWebSocketClientEnds<C2S, S2C> {
  readonly incoming: GGWebSocketClientIncoming<S2C>;
  readonly outgoing: GGSocketCalls<C2S>;
}

/** Why a connection is gone: `"manual"` after `disconnect()` or `close()`, `"drop"` when the server or the line ended it. */
export type GGWebSocketCloseReason = "manual" | "drop";

/** A typed client, made by `createClient()`. It is not connected until `connect()`. */
export interface GGWebSocketClient<C2S, S2C> extends GGWebSocketClientEnds<C2S, S2C> {
  /** Whether calls can be made right now. */
  readonly isConnected: boolean;
  /**
   * Opens the connection and runs the handshake. While connecting or connected, it joins what is there.
   *
   * @param setup called with both directions once connected, before any message is delivered
   * @throws the `ERROR` that the server refused with (`VALIDATION_ERROR` for bad query arguments), or a
   *   `SERVER_ERROR` whose display message says why no connection came about
   */
  connect(setup?: (ends: GGWebSocketClientEnds<C2S, S2C>) => void | Promise<void>): Promise<void>;
  /** Waits for pending calls (5 s at most), then closes. `connect()` may follow. */
  disconnect(): Promise<void>;
  /** Closes at once; pending calls settle with a `SERVER_ERROR`. */
  close(): void;
  /** Runs `callback` each time the connection has ended. */
  onClose(callback: (reason: GGWebSocketCloseReason) => void): this;
  /** Runs `callback` with errors that belong to no call, such as a refused fire-and-forget message. */
  onError(callback: (error: Error) => void): this;
}

export type { GGCallOptions };
