import type { IncomingMessage } from "node:http";
import type { GGScopeResolver } from "@grest-ts/http";
import type { GGPermission } from "@grest-ts/schema";
import type { GGBus } from "../api/bus.js";
import { GG_WS_CONNECTION } from "../api/contextKeys.js";
import type { InspectedServer } from "../api/inspect.js";
import type { GGWebSocketMiddleware } from "../api/middleware.js";
import { checkOptions, REVOCATION_OPTIONS } from "../api/optionChecks.js";
import type { SchemaDefinition } from "../api/schema.js";
import type { GGDrainOptions, GGKeyRevocation, WebSocketSchemaConfig } from "../api/server.js";
import type { AnyValidator } from "../api/standardSchema.js";
import { checkCallOptions } from "../connection/callOptions.js";
import { CheckedCalls } from "../connection/checkedCalls.js";
import { CountingInbox } from "../connection/countingInbox.js";
import { CALL_TIMEOUT, type SocketEndpoint } from "../connection/endpoint.js";
import { Heartbeat } from "../connection/heartbeat.js";
import { loggerOf } from "../connection/logger.js";
import type { MethodTable } from "../connection/methods/methodTable.js";
import { isThenable } from "../connection/methods/outcome.js";
import { captureScope } from "../connection/node/asyncScope.js";
import { limitedParser } from "../connection/node/limitedParser.js";
import { shareSignal } from "../connection/node/shareSignal.js";
import { whenSent } from "../connection/node/whenSent.js";
import { PendingTable } from "../connection/pendingTable.js";
import { throttledLogger } from "../connection/throttledLogger.js";
import { TracedMessage } from "../connection/trace.js";
import { monitorOf } from "../groups/busMonitor.js";
import { CloseCode, clampCloseReason } from "../protocol/closeCodes.js";
import { WsTransport } from "../transport/node/ws.js";
import { announce } from "./announce.js";
import { answeredAtOnce } from "./answeredAtOnce.js";
import { drain } from "./connection/drain.js";
import type { ServerConnection } from "./connection/serverConnection.js";
import { Control, type KeyRevocation } from "./groups/control.js";
import { KeyGroups } from "./groups/keyGroups.js";
import { acceptUpgraded } from "./handshake/accept.js";
import { ServerCapabilities } from "./handshake/capabilities.js";
import { MAX_HANDSHAKE_BYTES } from "./handshake/listener.js";
import { PendingHandshakes } from "./handshake/pendingHandshakes.js";
import type { Host } from "./host/host.js";
import { Ledger } from "./ledger.js";
import { type Limits, resolveLimits } from "./limits.js";
import { protocolResult, ServerMetrics } from "./metrics.js";
import { ClientIds } from "./resume/clientIds.js";
import { servedTablesOf } from "./sentValues.js";
import type { AnyConnectionHandler, RawConnectionHandler, ServedApi } from "./servedApi.js";
import { Taps } from "./taps.js";
import { Admission, type UpgradeRejection } from "./upgrade/admission.js";
import { type UpgradeRouter, upgradesOf } from "./upgrade/router.js";
import { webSocketUpgrade } from "./upgrade/webSocketUpgrade.js";

/** One API that is being served: what its connections have in common, and the connections themselves. */
export class Registration implements ServedApi {
  readonly apiName: string;
  readonly path: string;
  readonly middlewares: readonly GGWebSocketMiddleware[];
  readonly queryValidator: AnyValidator<unknown> | undefined;
  readonly connectPermission: GGPermission | undefined;
  readonly permissionResolver: GGScopeResolver | undefined;
  readonly onConnection: AnyConnectionHandler;
  readonly rawHandlers = new Set<RawConnectionHandler>();
  readonly metrics: ServerMetrics;
  readonly endpoint: SocketEndpoint;
  readonly serverToClient: MethodTable;
  readonly capabilities: ServerCapabilities;
  readonly limits: Limits;
  readonly ledger: Ledger;
  readonly handshakes = new PendingHandshakes();
  readonly clientIds = new ClientIds();
  readonly keys: ServedApi["keys"];
  readonly presence: ServedApi["presence"];
  readonly keyGroups: KeyGroups;
  readonly #bus: GGBus | undefined;
  readonly #control: Control | undefined;
  readonly #closesWhenCutOff: boolean;
  #stopWatchingBus: (() => void) | undefined;
  readonly #connections = new Set<ServerConnection>();
  readonly #heartbeat: Heartbeat | undefined;
  readonly #taps = new Taps(() => [
    ...this.handshakes.open,
    ...Array.from(this.#connections, ({ outbox, id }) => [outbox.underlyingTransport, id] as const),
  ]);
  readonly #host: Host;
  readonly #leaveHost: () => void;
  readonly #upgrades: UpgradeRouter;
  readonly #admission: Admission;
  readonly #drain: GGDrainOptions | undefined;
  readonly #addressOf: WebSocketSchemaConfig["addressOf"];
  /** Of upgrades in progress: the program is asked once for each. */
  readonly #addresses = new WeakMap<IncomingMessage, string | undefined>();
  #port: number | undefined;
  #isClosing = false;
  #teardown: Promise<void> | undefined;

  /** What inspections see of it. */
  readonly inspected: InspectedServer;

  constructor(schema: SchemaDefinition, onConnection: AnyConnectionHandler, host: Host, config: WebSocketSchemaConfig) {
    const { name: apiName, path } = schema;
    const { clientToServer, serverToClient } = servedTablesOf(schema);
    const scope = captureScope();
    const logger = throttledLogger(loggerOf(config.logger, apiName, scope));
    const { heartbeat = {} } = config;
    this.apiName = apiName;
    this.path = path.startsWith("/") ? path : `/${path}`;
    this.middlewares = [...schema.middlewares, ...(config.middlewares ?? [])];
    this.queryValidator = schema.queryValidator;
    this.connectPermission = schema.connectPermission;
    this.permissionResolver = config.permissionResolver;
    this.onConnection = onConnection;
    this.limits = resolveLimits(apiName, config.limits);
    this.ledger = new Ledger(this.limits, this.#connections);
    this.metrics = new ServerMetrics(apiName, this.path, scope, (error) =>
      logger.error(`${apiName}: the metrics store failed`, { error }),
    );
    this.serverToClient = serverToClient;
    if (heartbeat) this.#heartbeat = new Heartbeat(heartbeat.intervalMs, heartbeat.timeoutMs);
    this.capabilities = new ServerCapabilities(config.capabilities, this.#heartbeat);
    this.#drain = config.drain;
    this.endpoint = {
      apiName,
      methodTable: clientToServer,
      logger,
      metrics: this.metrics,
      timeout: config.timeout ?? CALL_TIMEOUT,
      asyncScope: scope,
      Message: TracedMessage,
      Inbox: CountingInbox,
      Calls: CheckedCalls,
      PendingCalls: PendingTable,
      shareSignal,
      checkCallOptions,
      mustHandleAll: true,
      // Whatever the peer, it answers a close as soon as usual: it must not hold the shutdown.
      whenSent: (connection) => whenSent(connection).then(() => undefined),
      parseLimited: limitedParser(this.limits, (excess) => {
        const { id: connection, address } = GG_WS_CONNECTION.get() ?? {};
        logger.warn(`${apiName}: a payload ${excess}`, { connection, address });
      }),
      onConnectionClosed: (connection, code) => this.#connectionClosed(connection as ServerConnection, code),
    };
    this.inspected = { apiName, methods: schema.methods, logger, tap: (callback) => this.#taps.add(callback) };
    this.keys = config.keys;
    this.presence = config.presence;
    this.#bus = config.bus;
    this.#closesWhenCutOff = config.onBusDown === "close";
    this.keyGroups = new KeyGroups(schema, config.bus);
    this.#admission = new Admission(apiName, this.limits, this.ledger, config);
    this.#addressOf = config.addressOf;
    this.#host = host;
    this.#upgrades = this.#route(config);
    try {
      if (config.bus) this.#control = this.#connectWithOthers(config.bus);
    } catch (error) {
      // A bus of the program has thrown.
      this.#stopWatchingBus?.();
      this.#upgrades.remove(this.path);
      throw error;
    }
    this.metrics.show();
    const onListening = () =>
      scope(() => {
        // The program may have set up its store after its APIs.
        this.metrics.show();
        this.#port = undefined;
        const { path, port } = this;
        if (port !== undefined) void announce({ apiName, path, port, logger, serverToClient });
      });
    this.#leaveHost = host.attach({
      path: this.path,
      upgrades: this.#upgrades,
      onListening,
      teardown: () => this.teardown(),
    });
  }

  /** The port that the HTTP server listens on, or did. It seldom changes, and reading it takes a system call. */
  get port(): number | undefined {
    this.#port ??= this.#host.port;
    return this.#port;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Whether new connections are rejected, since this API is being torn down. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  connectionOpened(connection: ServerConnection, keys: readonly string[]): void {
    this.#connections.add(connection);

    this.metrics.opened();
    this.keyGroups.add(connection, keys);
    connection.namedEndpoint.logger.debug(`${this.apiName}: a connection is open`);
    this.#heartbeat?.add(connection);
  }

  /** See `GGSocketServer`. */
  closeConnections(match: () => boolean, { code = CloseCode.POLICY_VIOLATION, reason = "Revoked" } = {}): number {
    let count = 0;
    const errors: unknown[] = [];
    for (const connection of this.#connections) {
      try {
        if (!answeredAtOnce(connection.context.run(match))) continue;
        connection.close(code, clampCloseReason(reason));
        count++;
      } catch (error) {
        errors.push(error);
      }
    }
    count += this.handshakes.revoke({ match, code, reason });
    if (errors.length > 0) throw errors[0];
    return count;
  }

  /** See `GGSocketServer`. */
  async revokeKey(revocation: GGKeyRevocation): Promise<number> {
    const warn = (message: string) => this.endpoint.logger.warn(message);
    checkOptions({ apiName: this.apiName, call: "closeConnections", warn }, revocation, REVOCATION_OPTIONS);
    const { key, code = CloseCode.POLICY_VIOLATION, reason = "Revoked" } = revocation;
    if (typeof key !== "string") throw new TypeError(`${this.apiName}: closeConnections needs a function or { key }`);
    const count = this.#closeKey({ key, code, reason });
    await this.#control?.revoke({ key, code, reason });
    return count;
  }

  #closeKey({ key, code, reason }: KeyRevocation): number {
    const connections = this.keyGroups.of(key);
    for (const connection of connections) connection.close(code, clampCloseReason(reason));
    // Handshakes may get the key yet.
    const match = () => !!this.keys && answeredAtOnce(this.keys()).includes(key);
    return connections.length + this.handshakes.revoke({ match, code, reason });
  }

  #connectWithOthers(bus: GGBus): Control {
    monitorOf(bus).useScope();
    const closeAll = (code: number) => {
      if (this.#closesWhenCutOff) this.closeConnections(() => true, { code, reason: "Cut off from the other servers" });
    };
    this.#stopWatchingBus = bus.onHealth((health) => health === "down" && closeAll(CloseCode.TRY_AGAIN_LATER));
    return new Control(bus, this.endpoint, {
      hasConnections: () => this.ledger.sockets > 0,
      onRevoked: (revocation) => void this.#closeKey(revocation),
      onLost: () => {
        this.endpoint.logger.error(`${this.apiName}: revocations of other servers may have been missed`);
        closeAll(CloseCode.SERVICE_RESTART);
      },
    });
  }

  /** Runs once: the path may belong to another API afterwards, and clients get `drain` only once. */
  teardown(): Promise<void> {
    this.#teardown ??= this.#close();
    return this.#teardown;
  }

  /** The same for a program. For a handler that waits, all but its own connection: that closes when it has answered. */
  async teardownForCaller(): Promise<void> {
    const connections = [...this.#connections];
    const done = this.teardown();
    const others = connections.filter((connection) => !connection.isHandlingCaller);
    if (others.length === connections.length) await done;
    else await Promise.all(others.map((connection) => connection.closed()));
  }

  async #close(): Promise<void> {
    this.#isClosing = true;
    this.handshakes.closeAll(CloseCode.GOING_AWAY, "Server is shutting down");
    await drain(this.#connections, this.#drain);
    this.#upgrades.remove(this.path);
    this.#leaveHost();
    this.#stopWatchingBus?.();
    this.#control?.end();
    this.endpoint.logger.info?.(`${this.apiName}: stopped`);
  }

  /** Routes the upgrades of its path to this API. */
  #route({ unknownPaths = this.#host.unknownPaths }: WebSocketSchemaConfig): UpgradeRouter {
    const upgrades = upgradesOf(this.#host.server);
    upgrades.add(this.path, {
      apiName: this.apiName,
      leavesUnknownPaths: unknownPaths === "leave",
      ...(this.#host.outlivesApis && { isClosing: () => this.#isClosing }),
      upgrade: webSocketUpgrade({
        maxPayloadBytes: this.limits.maxPayloadBytes,
        admit: (request) => this.#admitUpgrade(request),
        accept: (ws, query, request) => {
          const slot = this.ledger.open(this.#findAddress(request));
          const transport = new WsTransport(ws, { bytes: request.socket, slot });
          this.#taps.opened(transport, slot);
          transport.limitMessages(Math.min(MAX_HANDSHAKE_BYTES, this.limits.maxPayloadBytes));
          acceptUpgraded(this, { transport, slot, request, query });
        },
        onFailed: (error) => this.endpoint.logger.error(`${this.apiName}: an upgrade failed`, { error }),
      }),
    });
    return upgrades;
  }

  #admitUpgrade(request: IncomingMessage): UpgradeRejection | undefined {
    const address = this.#findAddress(request);
    const rejection = this.#admission.check(request, address, this.#isClosing, this.#isCutOff);
    if (!rejection) return undefined;
    const { result } = rejection;
    this.metrics.refused(result);
    this.endpoint.logger.warn(`${this.apiName}: upgrades are refused, ${result}`, { result, address });
    return rejection;
  }

  /** Whether it must not serve, since revocations do not reach it. */
  get #isCutOff(): boolean {
    return this.#closesWhenCutOff && this.#bus?.health === "down";
  }

  #findAddress(request: IncomingMessage): string | undefined {
    if (!this.#addresses.has(request)) this.#addresses.set(request, this.#askForAddress(request));
    return this.#addresses.get(request);
  }

  /** What the program finds, else the TCP peer: a request without the proxy's header must not escape the limit. */
  #askForAddress(request: IncomingMessage): string | undefined {
    try {
      const found: unknown = this.#addressOf?.(request);
      if (typeof found === "string") return found;
      if (isThenable(found)) Promise.resolve(found).catch(() => {});
      if (found !== undefined) throw new TypeError("it returned no text");
    } catch (error) {
      this.endpoint.logger.warn(`${this.apiName}: addressOf failed`, { error });
    }
    return request.socket.remoteAddress;
  }

  transportFailed(error: Error, { logger, asyncScope: scope }: SocketEndpoint): void {
    const result = protocolResult(error);
    if (!result) return;
    scope(() => this.metrics.handled("unknown", result));
    logger.warn(`${this.apiName}: a connection is closed, ${result}`, { result });
  }

  #connectionClosed(connection: ServerConnection, code: number): void {
    this.#connections.delete(connection);
    this.handshakes.ended(connection.outbox.underlyingTransport);
    this.#heartbeat?.delete(connection);
    this.metrics.closed();
    connection.namedEndpoint.logger.debug(`${this.apiName}: a connection has closed`, { code });
  }
}
