import type { IncomingMessage } from "node:http";
import type { GGContext } from "@grest-ts/context";
import { GG_DISCOVERY } from "@grest-ts/discovery";
import type { GGHttpServer, GGScopeResolver } from "@grest-ts/http";
import type { GGPermission, GGValidator } from "@grest-ts/schema";
import type { GGWebSocketMiddleware } from "../api/middleware.js";
import { isPublic } from "../api/permission.js";
import type { GGSocket } from "../api/rawSocket.js";
import type { SchemaDefinition } from "../api/schema.js";
import type { GGDrainOptions, WebSocketSchemaConfig } from "../api/server.js";
import type { Connection } from "../connection/connection.js";
import { CALL_TIMEOUT, type SocketEndpoint } from "../connection/endpoint.js";
import { frameworkLogger } from "../connection/frameworkLogger.js";
import { Heartbeat } from "../connection/heartbeat.js";
import type { CompiledMethod } from "../connection/methods/compiledMethod.js";
import { tablesOf } from "../connection/methods/methodTable.js";
import { captureScope } from "../connection/node/asyncScope.js";
import { TracedMessage } from "../connection/trace.js";
import { CloseCode, clampCloseReason } from "../protocol/closeCodes.js";
import { isDeeper } from "../protocol/depth.js";
import { WsTransport } from "../transport/node/ws.js";
import type { Transport } from "../transport/transport.js";
import { brokenRule } from "./connection/brokenRules.js";
import { drain } from "./connection/drain.js";
import { outgoingClass } from "./connection/outgoing.js";
import { acceptConnection } from "./handshake/accept.js";
import { ServerCapabilities } from "./handshake/capabilities.js";
import { type Limits, resolveLimits } from "./limits.js";
import { ServerMetrics } from "./metrics.js";
import { RefusalLog } from "./refusalLog.js";
import { calmLogger } from "./throttledLogger.js";
import { Admission, type UpgradeRefusal } from "./upgrade/admission.js";
import { type UpgradeRouter, upgradesOf } from "./upgrade/router.js";

/** Where an API's connections live, as `GG_WS_CONNECTION` says. */
type ConnectionAddress = { port?: number; path: string };

/** A connection handler with its types erased. */
export type AnyConnectionHandler = (incoming: unknown, outgoing: unknown, query: unknown) => unknown;

/** A line in its handshake. */
interface Arrival {
  readonly context: GGContext;
  /** Who was sent away meanwhile. */
  readonly revocations: { readonly match: () => boolean; readonly code: number; readonly reason: string }[];
}

/** What `match` looks for may not be there before the middlewares are through; it may throw then. */
function isMatch(context: GGContext, match: () => boolean): boolean {
  try {
    return context.run(match);
  } catch {
    return false;
  }
}

/** One API that is being served: what its connections have in common, and the connections themselves. */
export class Registration {
  readonly apiName: string;
  readonly path: string;
  readonly middlewares: readonly GGWebSocketMiddleware[];
  readonly queryValidator: GGValidator<unknown> | undefined;
  readonly connectPermission: GGPermission | undefined;
  readonly permissionResolver: GGScopeResolver | undefined;
  readonly onConnection: AnyConnectionHandler;
  /** Those of `GGSocketServer.onConnection`. */
  readonly rawHandlers: ((socket: GGSocket, query: unknown) => void)[] = [];
  readonly metrics: ServerMetrics;
  readonly endpoint: SocketEndpoint;
  /** What the server may call on its clients. */
  readonly Outgoing: ReturnType<typeof outgoingClass>;
  readonly capabilities: ServerCapabilities;
  readonly limits: Limits;
  readonly #heartbeat: Heartbeat | undefined;
  readonly #http: GGHttpServer;
  readonly #upgrades: UpgradeRouter;
  readonly #admission: Admission;
  readonly #refusals: RefusalLog;
  readonly #drain: GGDrainOptions | undefined;
  readonly #arriving = new Map<Transport, Arrival>();
  readonly #connections = new Set<Connection>();
  /** One for all connections. */
  readonly #onBroken = (error: Error) => {
    const result = brokenRule(error);
    if (!result) return;
    this.endpoint.scope(() => this.metrics.handled("unknown", result));
    this.endpoint.logger.warn(`${this.apiName}: a connection is closed, ${result}`, { result });
  };
  #address: ConnectionAddress | undefined;
  #isClosing = false;
  #torndown: Promise<void> | undefined;

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
    this.limits = resolveLimits(this.apiName, config.limits);
    this.#admission = new Admission(this.apiName, this.limits, config, (error) =>
      this.endpoint.logger.warn(`${this.apiName}: addressOf failed`, { error }),
    );
    this.#drain = config.drain;
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
      maxPayloadBytes: this.limits.maxPayloadBytes,
      refusal: (request) => this.#refusal(request),
      accept: (ws, query, request) => {
        const leave = this.#admission.enter(request);
        if (leave) ws.once("close", leave);
        ws.on("error", this.#onBroken);
        acceptConnection(this, new WsTransport(ws, true), query);
      },
    });
    const logger = calmLogger(config.logger ?? frameworkLogger(this.apiName, scope));
    this.#refusals = new RefusalLog(this.apiName, logger);
    this.endpoint = {
      apiName: schema.name,
      table: tables.clientToServer,
      logger,
      metrics: this.metrics,
      timeout: config.timeout ?? CALL_TIMEOUT,
      Message: TracedMessage,
      scope,
      isTooDeep: (payload) => {
        const isTooDeep = isDeeper(payload, this.limits.maxDepth);
        if (isTooDeep) logger.warn(`${schema.name}: a payload was nested too deep`);
        return isTooDeep;
      },
      closed: (connection, code) => this.#left(connection, code),
    };
    const unenforced = [...tables.serverToClient.values()].filter(({ permission }) => !isPublic(permission));
    const announce = () => scope(() => this.#announce(unenforced));
    if (this.port === undefined) http.onStart(announce);
    else announce();
    http.onTeardown(() => this.teardown());
  }

  /** Says that the API is served, in the log and to the discovery client of the scope that registered it. */
  #announce(unenforced: readonly CompiledMethod[]): void {
    const { apiName: api, path: pathPrefix, port } = this;
    if (port === undefined) return;
    const { logger } = this.endpoint;
    logger.info?.(`${api}: served on ${pathPrefix}`, { port });
    if (unenforced.length > 0) {
      const methods = unenforced.map(({ path }) => path).join(", ");
      logger.warn(`${api}: nothing enforces the permission of ${methods}, which the server sends: leave it out`);
    }
    if (!GG_DISCOVERY.has()) return;
    try {
      GG_DISCOVERY.get().registerRoutes([{ runtime: api, api, protocol: "ws", port, pathPrefix }]);
    } catch (error) {
      logger.error(`${api}: the discovery client did not take its route`, { error });
    }
  }

  /** What `GG_WS_CONNECTION` says on every connection. */
  get address(): ConnectionAddress {
    // There are connections only while the server listens, so it is known for good; asking takes a system call.
    this.#address ??= Object.freeze({ port: this.port, path: this.path });
    return this.#address;
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

  /** Whether a line is still to become a connection; not when this API is going away, or its user was sent away. */
  expects(transport: Transport): boolean {
    const arrival = this.#arriving.get(transport);
    if (this.#isClosing || !arrival) return false;
    const revoked = arrival.revocations.find(({ match }) => isMatch(arrival.context, match));
    if (revoked) transport.close(revoked.code, revoked.reason);
    return !revoked;
  }

  /** Whether connections are handled past the contract too. */
  get hasRawHandlers(): boolean {
    return this.rawHandlers.length > 0;
  }

  /** How many connections are in their handshake. */
  get handshakes(): number {
    return this.#arriving.size;
  }

  #refusal(request: IncomingMessage): UpgradeRefusal | undefined {
    const refusal = this.#admission.refusal(request, this);
    if (refusal) {
      this.metrics.refused(refusal.result);
      this.#refusals.note(refusal.result);
    }
    return refusal;
  }

  /** Keeps track of a line until its handshake is over, one way or the other. */
  arrives(transport: Transport, context: GGContext): void {
    this.#arriving.set(transport, { context, revocations: [] });
  }

  /** Its handshake is over. */
  arrived(transport: Transport): void {
    this.#arriving.delete(transport);
  }

  /** Counts a connection in, until it closes. Called inside the scope. */
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

  /** See `GGSocketServer`. */
  closeConnections(match: () => boolean, { code = CloseCode.POLICY_VIOLATION, reason = "Revoked" } = {}): number {
    let count = 0;
    const errors: unknown[] = [];
    for (const connection of this.#connections) {
      try {
        if (!connection.context.run(match)) continue;
        connection.close(code, clampCloseReason(reason));
        count++;
      } catch (error) {
        errors.push(error);
      }
    }
    for (const [transport, { context, revocations }] of this.#arriving) {
      if (isMatch(context, match)) {
        this.#arriving.delete(transport);
        transport.close(code, reason);
        count++;
      } else revocations.push({ match, code, reason });
    }
    if (errors.length > 0) throw errors[0];
    return count;
  }

  /** Once: the path may belong to somebody else afterwards, and clients are told to leave no second time. */
  teardown(): Promise<void> {
    this.#torndown ??= this.#teardown();
    return this.#torndown;
  }

  async #teardown(): Promise<void> {
    this.#isClosing = true;
    for (const transport of this.#arriving.keys()) transport.close(CloseCode.GOING_AWAY, "Server is shutting down");
    await drain(this.#connections, this.#drain);
    this.#upgrades.remove(this.path);
    this.endpoint.logger.info?.(`${this.apiName}: stopped`);
  }
}
