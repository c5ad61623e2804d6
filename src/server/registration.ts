import type { GGHttpServer, GGScopeResolver } from "@grest-ts/http";
import type { GGPermission, GGValidator } from "@grest-ts/schema";
import { defaultLogger } from "../contract/logger.js";
import type { GGWebSocketMiddleware } from "../contract/middleware.js";
import type { SchemaDefinition } from "../contract/schema.js";
import type { GGSocketServer, WebSocketSchemaConfig } from "../contract/server.js";
import { CloseCode } from "../protocol/closeCodes.js";
import type { Connection } from "../socket/connection.js";
import { CALL_TIMEOUT, type SocketEndpoint } from "../socket/endpoint.js";
import { Heartbeat } from "../socket/heartbeat.js";
import { tablesOf } from "../socket/methodTable.js";
import { outgoingClass } from "../socket/outgoing.js";
import type { Transport } from "../socket/transport.js";
import { captureScope } from "../transport/asyncScope.js";
import { WsTransport } from "../transport/ws.js";
import { acceptConnection } from "./acceptConnection.js";
import { ServerCapabilities } from "./capabilities.js";
import { ServerMetrics } from "./metrics.js";
import { type UpgradeRouter, upgradesOf } from "./upgrades.js";

const GOING_AWAY = [CloseCode.GOING_AWAY, "Server is shutting down"] as const;

/** A connection handler with its types erased. */
export type AnyConnectionHandler = (incoming: unknown, outgoing: unknown, query: unknown) => unknown;

/** One API that is being served: what its connections have in common, and the connections themselves. */
export class Registration implements GGSocketServer {
  readonly apiName: string;
  readonly path: string;
  readonly middlewares: readonly GGWebSocketMiddleware[];
  readonly queryValidator: GGValidator<unknown> | undefined;
  readonly connectPermission: GGPermission | undefined;
  readonly permissionResolver: GGScopeResolver | undefined;
  readonly onConnection: AnyConnectionHandler;
  readonly metrics: ServerMetrics;
  readonly endpoint: SocketEndpoint;
  /** What the server may call on its clients. */
  readonly Outgoing: ReturnType<typeof outgoingClass>;
  readonly capabilities: ServerCapabilities;
  readonly limits = {
    maxDepth: 128,
    maxRequestsInFlight: 1000,
    messagesPerSecond: Number.POSITIVE_INFINITY,
    messageBurst: Number.POSITIVE_INFINITY,
    maxOutboxBytes: 64 * 1024 * 1024,
  };
  readonly #heartbeat: Heartbeat | undefined;
  readonly #http: GGHttpServer;
  readonly #upgrades: UpgradeRouter;
  readonly #arriving = new Set<Transport>();
  readonly #connections = new Set<Connection>();
  #isClosing = false;

  constructor(
    schema: SchemaDefinition,
    onConnection: AnyConnectionHandler,
    http: GGHttpServer,
    config: WebSocketSchemaConfig,
  ) {
    const tables = tablesOf(schema);
    this.apiName = schema.name;
    this.path = schema.path.startsWith("/") ? schema.path : `/${schema.path}`;
    this.middlewares = [...schema.middlewares, ...(config.middlewares ?? [])];
    this.queryValidator = schema.queryValidator;
    this.connectPermission = schema.connectPermission;
    this.permissionResolver = config.permissionResolver;
    this.onConnection = onConnection;
    const scope = captureScope();
    this.metrics = new ServerMetrics(this.apiName, this.path, scope);
    this.Outgoing = outgoingClass(tables.serverToClient);
    const { heartbeat = {} } = config;
    if (heartbeat) this.#heartbeat = new Heartbeat(heartbeat.intervalMs, heartbeat.timeoutMs);
    this.capabilities = new ServerCapabilities(config.capabilities, this.#heartbeat);
    this.#http = http;
    this.#upgrades = upgradesOf(http.httpServer);
    this.#upgrades.add(this.path, {
      apiName: this.apiName,
      leavesUnknownPaths: config.unknownPaths === "leave",
      accept: (ws, query) => acceptConnection(this, new WsTransport(ws, true), query),
    });
    this.endpoint = {
      apiName: schema.name,
      table: tables.clientToServer,
      logger: config.logger ?? defaultLogger,
      metrics: this.metrics,
      timeout: config.timeout ?? CALL_TIMEOUT,
      scope,
      maxDepth: this.limits.maxDepth,
      maxOutboxBytes: this.limits.maxOutboxBytes,
      closed: (connection, code) => this.#left(connection, code),
    };
  }

  /** The port that the HTTP server listens on. */
  get port(): number | undefined {
    return this.#http.port;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Whether new connections are refused, since this API is going away. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Keeps track of a line until its handshake is over, one way or the other. */
  async duringHandshake(transport: Transport, handshake: Promise<void>): Promise<void> {
    this.#arriving.add(transport);
    await handshake;
    this.#arriving.delete(transport);
  }

  /** Counts a connection in, until it closes. */
  joined(connection: Connection): void {
    this.#connections.add(connection);
    this.metrics.opened();
    this.endpoint.logger.debug(`${this.apiName}: a connection is open`);
    this.#heartbeat?.add(connection);
  }

  #left(connection: Connection, code: number): void {
    this.#connections.delete(connection);
    this.#heartbeat?.delete(connection);
    this.metrics.closed();
    this.endpoint.logger.debug(`${this.apiName}: a connection has closed`, { code });
  }

  async teardown(): Promise<void> {
    this.#isClosing = true;
    this.#upgrades.remove(this.path);
    for (const transport of this.#arriving) transport.close(...GOING_AWAY);
    await Promise.all([...this.#connections].map((connection) => connection.finish(...GOING_AWAY)));
  }
}
