import type { GGScopeResolver } from "@grest-ts/http";
import type { GGPermission } from "@grest-ts/schema";
import type { GGWebSocketMiddleware } from "../api/middleware.js";
import type { GGPresenceInfo } from "../api/presence.js";
import type { GGSocket } from "../api/rawSocket.js";
import type { AnyValidator } from "../api/standardSchema.js";
import type { SocketEndpoint } from "../connection/endpoint.js";
import type { MethodTable } from "../connection/methods/methodTable.js";
import type { ServerConnection } from "./connection/serverConnection.js";
import type { ServerCapabilities } from "./handshake/capabilities.js";
import type { PendingHandshakes } from "./handshake/pendingHandshakes.js";
import type { Ledger } from "./ledger.js";
import type { Limits } from "./limits.js";
import type { ServerMetrics } from "./metrics.js";
import type { ClientIds } from "./resume/clientIds.js";

/** A connection handler with its types erased. */
export type AnyConnectionHandler = (incoming: unknown, outgoing: unknown, query: unknown) => unknown;

/** A handler of `GGSocketServer.onConnection`. */
export type RawConnectionHandler = (socket: GGSocket, query: unknown) => void;

/** One API that is being served, as its handshakes and connections see it. */
export interface ServedApi {
  readonly apiName: string;
  readonly endpoint: SocketEndpoint;
  readonly limits: Limits;
  readonly ledger: Ledger;
  readonly metrics: ServerMetrics;
  /** Where it is served: `GG_WS_CONNECTION` says so on every connection. */
  readonly port: number | undefined;
  readonly path: string;
  // The handshake.
  readonly middlewares: readonly GGWebSocketMiddleware[];
  readonly queryValidator: AnyValidator<unknown> | undefined;
  readonly connectPermission: GGPermission | undefined;
  readonly permissionResolver: GGScopeResolver | undefined;
  readonly capabilities: ServerCapabilities;
  readonly handshakes: PendingHandshakes;
  readonly clientIds: ClientIds;
  // The connection.
  readonly onConnection: AnyConnectionHandler;
  readonly rawHandlers: ReadonlySet<RawConnectionHandler>;
  /** What the server may call on its clients. */
  readonly serverToClient: MethodTable;
  /** Counts and logs what a peer has violated below the messages, if it has; `endpoint` is that of its connection. */
  transportFailed(error: Error, endpoint: SocketEndpoint): void;
  /** The keys of a connection, asked in its context. */
  readonly keys: (() => readonly string[]) | undefined;
  /** Whom a connection belongs to, asked in its context. */
  readonly presence: (() => GGPresenceInfo | undefined) | undefined;
  /** Counts a connection until it closes. Called inside the scope. */
  connectionOpened(connection: ServerConnection, keys: readonly string[]): void;
}
