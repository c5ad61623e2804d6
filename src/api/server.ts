import type { GGHttpServer, GGScopeResolver } from "@grest-ts/http";
import type { GGWebSocketCapability } from "../protocol/capabilities.js";
import type { GGBus } from "./bus.js";
import type { GGWebSocketLogger } from "./logger.js";
import type { GGGroupCalls, WebSocketIncoming, WebSocketOutgoing } from "./methodTypes.js";
import type { GGWebSocketMiddleware } from "./middleware.js";
import type { GGPresenceInfo } from "./presence.js";
import type { GGSocket } from "./rawSocket.js";
import type { AnyValidator } from "./standardSchema.js";
import type { Unsubscribe } from "./unsubscribe.js";

/**
 * When silent connections are checked. Messages, pings and bytes are signs of life: those that arrive, and those that
 * waited to be sent and that the peer takes. A connection that is not read, since its messages wait for handlers, is not
 * judged.
 */
export interface GGHeartbeatOptions {
  /**
   * The silence after which a connection is asked for a sign of life, in ms, never earlier and within one and a half of it.
   * Default 25,000.
   */
  readonly intervalMs?: number | undefined;
  /** How long an asked connection may stay silent before it is terminated (1006), in ms. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * What one API lets its clients do. The defaults refuse nothing that a well-behaved program does. Reaching a limit is
 * answered or shown in the close reason, counted in the metrics under the `result` given here, and logged.
 */
export interface GGWebSocketLimits {
  /** The largest message, in bytes. Default 16 MiB. A larger one closes with 1009. */
  readonly maxPayloadBytes?: number | undefined;
  /** How deep arrays and objects may nest in a payload. Default 128. Deeper ones are a `VALIDATION_ERROR`. */
  readonly maxDepth?: number | undefined;
  /**
   * How many values a payload may have: texts, numbers, arrays and so on, at every depth. Default 1,000,000. More are a
   * `VALIDATION_ERROR`, before the payload is parsed.
   */
  readonly maxValues?: number | undefined;
  /**
   * Requests of one connection being handled at the same time. Default 1,000. Further ones get `SERVER_ERROR`
   * (`TOO_MANY_REQUESTS`). Of messages, which have no reply, ten times as many may be handled; further ones are
   * dropped.
   */
  readonly maxRequestsInFlight?: number | undefined;
  /**
   * Messages and requests that one connection may send per second, on average. Default: unlimited. Beyond it requests
   * get `SERVER_ERROR` and messages are dropped (`RATE_LIMITED`); twice the burst refused in a row closes with 1008.
   */
  readonly messagesPerSecond?: number | undefined;
  /** How many may arrive at once after a quiet time. Default: as many as per second. */
  readonly messageBurst?: number | undefined;
  /**
   * Bytes that may wait for a connection that reads too slowly. Default 64 MiB. Beyond it what is `droppable` is
   * dropped (`DROPPED`), and anything else closes the connection with 1013 (`SLOW_CONSUMER`).
   */
  readonly maxOutboxBytes?: number | undefined;
  /**
   * Bytes that may wait for all connections together. Default 512 MiB. Before it is reached the connections with most are
   * terminated (`SLOW_CONSUMER`), until a quarter of it is free.
   */
  readonly maxTotalOutboxBytes?: number | undefined;
  /**
   * Connections in their handshake at the same time, those that were refused and have not closed yet included. Default
   * 5,000. Further upgrades get 503 (`TOO_MANY_HANDSHAKES`).
   */
  readonly maxHandshakes?: number | undefined;
  /**
   * Connections at the same time, from their upgrade until their sockets have closed. Default: unlimited. Further
   * upgrades get 503 (`TOO_MANY_CONNECTIONS`).
   */
  readonly maxConnections?: number | undefined;
  /** The same for one address. Default: unlimited. Further upgrades get 429 (`TOO_MANY_CONNECTIONS_PER_ADDRESS`). */
  readonly maxConnectionsPerAddress?: number | undefined;
}

/** The part of an upgrade request (Node's `IncomingMessage`) that identifies its sender. */
export interface GGUpgradeRequest {
  /** The headers by their names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The TCP connection. */
  readonly socket: {
    /** The address of the TCP peer: of the client, or of the proxy in front. */
    readonly remoteAddress?: string | undefined;
  };
}

/** How open connections are drained on shutdown. */
export interface GGDrainOptions {
  /**
   * The time over which clients reconnect, in ms, so that they do not all arrive elsewhere at once. Default 0: all at
   * once, closed with 1001 (going away). With more, clients without `drain` are closed in ten waves with 1012 (service
   * restart).
   */
  readonly spreadMs?: number | undefined;
  /**
   * After this many ms connections are closed whatever is in flight, and terminated 5 s later. Default 5,000 more than
   * `spreadMs`.
   */
  readonly deadlineMs?: number | undefined;
}

/**
 * An HTTP server of Node: what `createServer` of `node:http` and `node:https` returns, and with it `app.listen()` of
 * Express, `serve()` of Hono, and Fastify's `app.server`. One of `node:http2` must speak HTTP/1 as well, so make it with
 * `createSecureServer({ allowHTTP1: true })`: there are no WebSockets over HTTP/2 here.
 */
// By its members: pages import this file, and their projects may lack the types of Node.
export interface GGNodeServer {
  /** Whether it listens now. */
  readonly listening: boolean;
  /** Where it listens: an address with a port, or the name of a pipe; `null` while it does not. */
  address():
    | {
        /** The TCP port. */
        readonly port: number;
      }
    | string
    | null;
  /** Adds a listener. */
  on(event: "listening", listener: () => void): unknown;
  /** Sets how long a connection may be idle, in ms: servers that speak no HTTP lack it. */
  setTimeout(ms?: number): unknown;
}

/** Options of `register` and `startServer`. */
export interface WebSocketSchemaConfig {
  /**
   * The HTTP server to serve on: a `GGHttpServer`, or a server of Node (see {@link GGNodeServer}), which may listen
   * already, or later. A server of Node keeps its routes: they answer all requests that are no upgrades. Its `close()`
   * ends no WebSocket, so call `teardown()` of what `startServer` returns as well. Default: the app's `GGHttpServer`.
   */
  readonly http?: GGHttpServer | GGNodeServer | undefined;
  /** More middlewares; they run after the schema's. */
  readonly middlewares?: readonly GGWebSocketMiddleware[] | undefined;
  /** Finds the scopes of a connection, once, after the middlewares. `null` means that there is no identity. */
  readonly permissionResolver?: GGScopeResolver | undefined;
  /** How long a request to a client waits for its reply, in ms. Default 30,000. A call may bring its own. */
  readonly timeout?: number | undefined;
  /**
   * Where log entries go. Default: the framework's log (`GGLog`) of the scope that registers the API; without one
   * `console`, from warnings up.
   */
  readonly logger?: GGWebSocketLogger | undefined;
  /**
   * When a silent connection is asked for a sign of life, and how long it may take to give one, in ms, until it is
   * terminated (the client sees 1006). Default `{intervalMs: 25_000, timeoutMs: 10_000}`; `false` never asks.
   */
  readonly heartbeat?: GGHeartbeatOptions | false | undefined;
  /** The limits for clients. */
  readonly limits?: GGWebSocketLimits | undefined;
  /**
   * Which pages may connect: their origins, such as `"https://app.example"`, `"https://*.app.example"` for all of its
   * subdomains but not itself, `"capacitor://localhost"` for an app, `"null"` for files and sandboxed frames; or
   * `"same-host"` for pages whose host is that of the request. Where `addressOf` is given, a proxy is trusted, and
   * `"same-host"` takes what it says in `X-Forwarded-Host` and `X-Forwarded-Port` too. Others get 403 before the upgrade
   * (`ORIGIN_REFUSED`). Requests without an `Origin`, which do not come from a browser, pass. Default: any page. Set it
   * when a cookie plays a part in the handshake.
   */
  readonly allowedOrigins?: readonly string[] | "same-host" | undefined;
  /**
   * The address of a peer: for `maxConnectionsPerAddress`, log entries, middlewares and `GG_WS_CONNECTION`. Default: the
   * address of the TCP peer, which also counts where this returns no text, or throws. Behind a proxy read its header, for
   * example `X-Forwarded-For`.
   */
  readonly addressOf?: ((request: GGUpgradeRequest) => string | undefined) | undefined;
  /** How open connections are drained at teardown. */
  readonly drain?: GGDrainOptions | undefined;
  /**
   * The protocol extensions that are offered to clients (PROTOCOL.md, "Capabilities"). Default: all.
   * `[]` speaks the plain protocol of 0.0.39 to every client.
   */
  readonly capabilities?: readonly GGWebSocketCapability[] | undefined;
  /**
   * How an upgrade request to a path without an API is handled: `"refuse"` answers it with 404, `"leave"` leaves it to
   * the other `upgrade` listeners of the HTTP server, and answers it with 404 when there are none, or none has begun to
   * read or answer it within 5 s. Default `"refuse"` on a `GGHttpServer`, and `"leave"` on a server of Node. One API with
   * `"leave"` is enough for its server.
   */
  readonly unknownPaths?: "refuse" | "leave" | undefined;
  /**
   * What connects this process with the others that serve the API, for `server.to(key)` and `closeConnections({ key })`.
   * Groups have their own option. Default: none, all stays in this process. Close it when the app ends.
   */
  readonly bus?: GGBus | undefined;
  /**
   * The keys of a connection, such as `` [`user:${USER.assert().id}`] ``: by them `server.to(key)` reaches it, and
   * `closeConnections({ key })` closes it, from every node. Runs in its context, once the middlewares and the resolver have
   * run; when it throws, the connection is refused. Default: none.
   */
  readonly keys?: (() => readonly string[]) | undefined;
  /**
   * Whom a connection belongs to, for `present()` and `onPresence()` of the groups that it is added to: anything that JSON
   * can carry, with an `id`. All connections of one `id` are one person. Runs in its context when it is added to a group; when
   * it throws, or returns nothing, the connection is in the group without being present. Default: none.
   */
  readonly presence?: (() => GGPresenceInfo | undefined) | undefined;
  /**
   * What happens while the bus does not reach the other nodes, whose revocations (`closeConnections({ key })`) reach this one
   * only later: `"keep"` keeps connections, `"close"` closes them with 1013, refuses upgrades with 503 (`BUS_DOWN`), and
   * closes all with 1012 when revocations may have been missed. Default `"keep"`.
   */
  readonly onBusDown?: "keep" | "close" | undefined;
}

/**
 * The query arguments of a connection: what the validator made of them; without one the raw strings, and a list of them
 * for an argument that is repeated.
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
  readonly queryValidator?: AnyValidator<TQuery> | undefined;
  /** They run in their order, before anything else. */
  readonly middlewares?: readonly GGWebSocketMiddleware[] | undefined;
}

/** How connections are closed. */
export interface GGCloseOptions {
  /** The close code. Default 1008, after which clients do not reconnect. */
  readonly code?: number | undefined;
  /** The close reason. Default `"Revoked"`. */
  readonly reason?: string | undefined;
}

/** Which connections are closed on every node, and how. */
export interface GGKeyRevocation extends GGCloseOptions {
  /** One of the keys of the connection. */
  readonly key: string;
}

/** One API being served: what `startServer` returns, and `new GGSocketServer(http, config)` without a contract. */
export interface GGSocketServer<_TContext = object, TQuery = unknown, S2C = object> {
  /** The API's name. */
  readonly apiName: string;
  /** The path it is served on, with its leading slash. */
  readonly path: string;
  /** How many connections are open. */
  readonly connectionCount: number;
  /**
   * Runs `handler` for each connection that is accepted from now on, inside its context and after the contract's own
   * handler, with a raw socket over it: for paths that no contract describes, whose handlers it registers. What it
   * throws is logged. Returns what takes the handler back: connections that it has got stay.
   */
  onConnection(handler: (socket: GGSocket, query: TQuery) => void): Unsubscribe;
  /**
   * Closes the connections for which `match` is true, which runs in the context of each, so that keys set by
   * middlewares can be read: `server.closeConnections(() => USER.get()?.id === "ann")`. A pending handshake is matched
   * again when its middlewares have run, and a connection when its asynchronous handlers have ended, up to 30 s after it was
   * accepted. Revoke access in the store first, for connections that come later.
   *
   * @returns how many were closed
   * @throws what `match` threw for an open connection, once all others are handled
   */
  closeConnections(match: () => boolean, options?: GGCloseOptions): number;
  /**
   * Closes the connections that have a key (option `keys`), and the pending handshakes that get it, on every node: on this
   * one at once. A node that is cut off closes them when it is back; it need not wait for that with `onBusDown: "close"`. So
   * does a server whose bus was away when it started, with what was revoked in the last hour.
   * Revoke access in the store first, for connections that come later.
   *
   * @returns how many were closed on this node, once the bus has the revocation for the others. Rejects with a `GGBusError`
   *   when it has not: then only this node has closed them
   */
  closeConnections(revocation: GGKeyRevocation): Promise<number>;
  /**
   * Sends to all connections that have a key (option `keys`), on every node: `server.to("user:ann").notice(data)`. At most
   * once; a connection is reached on other nodes a moment after it was accepted. Permissions are not checked.
   */
  to(key: string): GGGroupCalls<S2C>;
  /**
   * Answers new upgrades with 503, asks clients that support `drain` to reconnect, closes the others once what is in
   * flight has finished, and the rest at the deadline of `drain`.
   */
  teardown(): Promise<void>;
}
