import type { GGHttpServer, GGScopeResolver } from "@grest-ts/http";
import type { GGValidator } from "@grest-ts/schema";
import type { GGWebSocketCapability } from "../protocol/capabilities.js";
import type { GGWebSocketLogger } from "./logger.js";
import type { WebSocketIncoming, WebSocketOutgoing } from "./methodTypes.js";
import type { GGWebSocketMiddleware } from "./middleware.js";
import type { GGSocket } from "./rawSocket.js";

/** When silent connections are looked after. */
export interface GGHeartbeatOptions {
  /** A connection that was silent for so long, in ms, is asked for a sign of life. Default 25,000. */
  readonly intervalMs?: number;
  /** How long it may take to give one, in ms. Default 10,000. */
  readonly timeoutMs?: number;
}

/**
 * What one API lets its clients do. The defaults refuse nothing that a well-behaved program does. Reaching a limit is
 * answered or shown in the close reason, counted in the metrics under the `result` given here, and logged.
 */
export interface GGWebSocketLimits {
  /** The largest message, in bytes. Default 16 MiB. A larger one closes with 1009. */
  readonly maxPayloadBytes?: number;
  /** How deep arrays and objects may nest in a payload. Default 128. Deeper ones are a `VALIDATION_ERROR`. */
  readonly maxDepth?: number;
  /**
   * Requests of one connection being handled at the same time. Default 1,000. Further ones get `SERVER_ERROR`
   * (`TOO_MANY_REQUESTS`). Of messages that nobody waits for ten times as many may be handled; further ones are dropped.
   */
  readonly maxRequestsInFlight?: number;
  /**
   * Messages and requests that one connection may send per second, on average. Default: endless. Beyond it requests get
   * `SERVER_ERROR` and messages are dropped (`RATE_LIMITED`); twice the burst refused in a row closes with 1008.
   */
  readonly messagesPerSecond?: number;
  /** How many may come at once after a quiet time. Default: as many as per second. */
  readonly messageBurst?: number;
  /**
   * Bytes that may wait for a connection that reads too slowly. Default 64 MiB. Beyond it what is `droppable` is dropped
   * (`DROPPED`), and anything else closes the connection with 1013 (`SLOW_CONSUMER`).
   */
  readonly maxOutboxBytes?: number;
  /** Connections in their handshake at the same time. Default 5,000. Further upgrades get 503 (`TOO_MANY_HANDSHAKES`). */
  readonly maxHandshakes?: number;
  /** Connections at the same time, those in their handshake included. Default: endless. Further upgrades get 503 (`TOO_MANY_CONNECTIONS`). */
  readonly maxConnections?: number;
  /** The same for one address. Default: endless. Further upgrades get 429 (`TOO_MANY_CONNECTIONS_PER_ADDRESS`). */
  readonly maxConnectionsPerAddress?: number;
}

/** The part of an upgrade request (Node's `IncomingMessage`) that tells who sent it. */
export interface GGUpgradeRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** How connections are led away when an API is torn down. */
export interface GGDrainOptions {
  /**
   * The time over which clients are sent away, in ms, so that they do not all arrive elsewhere at once. Default 0: all at
   * once, and closed with 1001 as a server that ends. With more, what is left is closed in ten waves with 1012, as a
   * server that restarts.
   */
  readonly spreadMs?: number;
  /** After so many ms connections are closed whatever is still in flight, and cut 5 s later. Default 5,000 more than `spreadMs`. */
  readonly deadlineMs?: number;
}

/** Options of `register` and `startServer`. */
export interface WebSocketSchemaConfig {
  /** The HTTP server to listen on. Default: the app's `GGHttpServer`. */
  readonly http?: GGHttpServer;
  /** More middlewares; they run after the schema's. */
  readonly middlewares?: readonly GGWebSocketMiddleware[];
  /** Finds the scopes of a connection, once, after the middlewares. `null` means that there is no identity. */
  readonly permissionResolver?: GGScopeResolver;
  /** How long a request to a client waits for its reply, in ms. Default 30,000. A call may bring its own. */
  readonly timeout?: number;
  /**
   * Where log lines go. Default: the framework's log (`GGLog`) of the scope that registers the API; without one `console`,
   * from warnings up.
   */
  readonly logger?: GGWebSocketLogger;
  /**
   * When a silent connection is asked for a sign of life, and how long it may take to give one, in ms, until it is cut
   * (the client sees 1006). Default `{intervalMs: 25_000, timeoutMs: 10_000}`; `false` never asks.
   */
  readonly heartbeat?: GGHeartbeatOptions | false;
  /** What clients may do, and how much of it. */
  readonly limits?: GGWebSocketLimits;
  /**
   * Which pages may connect: their origins, such as `"https://app.example"`, or `"same-host"` for those whose host is
   * that of the request. Others get 403 before the upgrade (`ORIGIN_REFUSED`). Requests without an `Origin`, which do not
   * come from a browser, pass. Default: any page. Set it when a cookie plays a part in the handshake.
   */
  readonly allowedOrigins?: readonly string[] | "same-host";
  /**
   * Who counts as one address for `maxConnectionsPerAddress`. Default: the address of the TCP peer, which also counts
   * where this returns `undefined` or throws. Behind a proxy read what that says, for example `X-Forwarded-For`.
   */
  readonly addressOf?: (request: GGUpgradeRequest) => string | undefined;
  /** How connections are led away at teardown. */
  readonly drain?: GGDrainOptions;
  /**
   * The extensions of the wire that are offered to clients which know them (PROTOCOL.md, "Capabilities"). Default: all.
   * `[]` speaks the plain wire of 0.0.39 to everybody.
   */
  readonly capabilities?: readonly GGWebSocketCapability[];
  /**
   * What becomes of an upgrade request to a path that no API is registered on: `"refuse"` answers it with 404, `"leave"`
   * leaves it to the other `upgrade` listeners of the HTTP server. Default `"refuse"`. One API that says `"leave"` is
   * enough for its server.
   */
  readonly unknownPaths?: "refuse" | "leave";
}

/**
 * The query arguments of a connection: what the validator made of them; without one the raw strings, and a list of them for
 * an argument that is repeated.
 */
export type GGConnectionQuery<TQuery> = [TQuery] extends [undefined]
  ? Readonly<Record<string, string | readonly string[]>>
  : TQuery;

/** Called once for each accepted connection, inside its context. What it throws closes the connection with 1011. */
export type GGConnectionHandler<C2S, S2C, TQuery = undefined> = (
  incoming: WebSocketIncoming<C2S>,
  outgoing: WebSocketOutgoing<S2C>,
  query: GGConnectionQuery<TQuery>,
) => void | Promise<void>;

/** What `new GGSocketServer(http, config)` serves: a path without a contract. */
export interface GGSocketServerConfig<TQuery = unknown> {
  /** The path, with or without its leading slash. */
  readonly path: string;
  /** Names it in errors, logs and metrics. */
  readonly apiName: string;
  /** Checks the query arguments of a connection; what it refuses is closed with 4000. */
  readonly queryValidator?: GGValidator<TQuery>;
  /** They run in their order, before anything else. */
  readonly middlewares?: readonly GGWebSocketMiddleware[];
}

/** One API being served: what `startServer` returns, and `new GGSocketServer(http, config)` without a contract. */
export interface GGSocketServer<_TContext = object, TQuery = unknown> {
  /** The API's name. */
  readonly apiName: string;
  /** The path it is served on, with its leading slash. */
  readonly path: string;
  /** How many connections are open. */
  readonly connectionCount: number;
  /**
   * Runs `handler` for each connection that is accepted from now on, inside its context and after the contract's own handler,
   * with a raw socket over it: for paths that no contract describes, whose handlers it registers. What it throws is logged.
   */
  onConnection(handler: (socket: GGSocket, query: TQuery) => void): void;
  /**
   * Closes the connections for which `match` is true, which runs in the context of each, so that keys set by middlewares
   * can be read: `server.closeConnections(() => USER.get()?.id === "ann")`. A handshake under way is asked again when its
   * middlewares are through. Take back in the store first what lets them in, for those that come later.
   *
   * @param options `code` is 1008 by default, after which clients do not reconnect; `reason` is `"Revoked"`
   * @returns how many were closed
   * @throws what `match` threw for an open connection, once all others are dealt with
   */
  closeConnections(match: () => boolean, options?: { readonly code?: number; readonly reason?: string }): number;
  /**
   * Answers new upgrades with 503, tells clients that can reconnect to do so, closes the others once what is in flight
   * has finished, and cuts at the deadline of `drain`.
   */
  teardown(): Promise<void>;
}
