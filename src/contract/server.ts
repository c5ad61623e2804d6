import type { GGHttpServer, GGScopeResolver } from "@grest-ts/http";
import type { GGWebSocketLogger } from "./logger.js";
import type { WebSocketIncoming, WebSocketOutgoing } from "./methodTypes.js";
import type { GGWebSocketMiddleware } from "./middleware.js";

/** An extension of the wire; PROTOCOL.md, "Capabilities", says what each does. */
export type GGWebSocketCapability = "batch" | "alive" | "cancel" | "drain";

/** When silent connections are looked after. */
export interface GGHeartbeatOptions {
  /** A connection that was silent for so long, in ms, is asked for a sign of life. Default 25,000. */
  readonly intervalMs?: number;
  /** How long it may take to give one, in ms. Default 10,000. */
  readonly timeoutMs?: number;
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
  /** Where warnings and errors go. Default: `console`, from warnings up. */
  readonly logger?: GGWebSocketLogger;
  /**
   * When a silent connection is asked for a sign of life, and how long it may take to give one, in ms, until it is cut
   * (the client sees 1006). Default `{intervalMs: 25_000, timeoutMs: 10_000}`; `false` never asks.
   */
  readonly heartbeat?: GGHeartbeatOptions | false;
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

/** The query arguments of a connection: what the validator made of them, or the raw strings without one. */
export type GGConnectionQuery<TQuery> = [TQuery] extends [undefined] ? Readonly<Record<string, string>> : TQuery;

/** Called once for each accepted connection, inside its context. What it throws closes the connection with 1011. */
export type GGConnectionHandler<C2S, S2C, TQuery = undefined> = (
  incoming: WebSocketIncoming<C2S>,
  outgoing: WebSocketOutgoing<S2C>,
  query: GGConnectionQuery<TQuery>,
) => void | Promise<void>;

/** One API being served. */
export interface GGSocketServer {
  /** The API's name. */
  readonly apiName: string;
  /** The path it is served on, with its leading slash. */
  readonly path: string;
  /** How many connections are open. */
  readonly connectionCount: number;
  /** Stops accepting and closes the connections (1001) once what is in flight has finished, 5 s at most. */
  teardown(): Promise<void>;
}
