import { createServer, type Server } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import { GGLocator, type GGLocatorKey, GGLocatorServiceType } from "@grest-ts/locator";
import { type GGContractImplementation, type GGContractMethods, ROUTE_NOT_FOUND, SERVER_ERROR } from "@grest-ts/schema";
import type { GGHttpRegisterConfig, GGHttpSchema } from "../api/GGHttpSchema.js";
import { GG_HTTP_SERVER } from "../api/keys.js";
import { Cors, type GGCorsConfig } from "./cors.js";
import { listen, portFromEnvironment } from "./listen.js";
import { OpenSockets } from "./openSockets.js";
import { checkPermissions } from "./permissionCheck.js";
import { RouteTable } from "./RouteTable.js";
import { registerApi } from "./registerApi.js";
import { sendError } from "./respond.js";
import type { GGHttpRouteHandler, GGRegisteredHttpSchema, GGRegisteredWebSocketSchema } from "./types.js";

/** Options of a server. */
export interface GGHttpServerConfig {
  /** The locator key of the server. A second server in one scope needs its own. Default: GG_HTTP_SERVER. */
  readonly key?: GGLocatorKey<GGHttpServer>;
  /** Default: the environment variable PORT, else a free port. */
  readonly port?: number;
  /** Allows calls from pages of other origins. Default: off. */
  readonly cors?: boolean | GGCorsConfig;
  /** Serves https with these certificates. */
  readonly tls?: ServerOptions;
}

/** How long teardown waits for requests that are being answered. */
const REQUEST_GRACE_MS = 3_000;

/** The one server of an app: HTTP APIs and plain routes, and the socket that WebSocket APIs upgrade from. */
export class GGHttpServer {
  /** Node's server, created at once so that event listeners can be added before it starts. */
  readonly httpServer: Server;
  readonly #port: number;
  readonly #routes = new RouteTable();
  readonly #cors: Cors | undefined;
  readonly #sockets: OpenSockets;
  readonly #schemas: GGRegisteredHttpSchema[] = [];
  readonly #webSocketSchemas: GGRegisteredWebSocketSchema[] = [];
  readonly #withResolver = new Set<object>();
  readonly #startCallbacks: (() => unknown)[] = [];
  readonly #teardownCallbacks: (() => unknown)[] = [];
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  /** Registers the server in the current locator scope, which needs a lifecycle owner. It listens once started. */
  constructor(config: GGHttpServerConfig = {}) {
    this.#port = config.port ?? portFromEnvironment();
    this.#cors = config.cors ? new Cors(config.cors === true ? {} : config.cors) : undefined;
    this.httpServer = config.tls === undefined ? createServer() : createTlsServer(config.tls);
    this.#sockets = new OpenSockets(this.httpServer);
    // Last, because an earlier failure must not leave a server registered.
    GGLocator.getScopeOrRoot().setWithLifecycle(config.key ?? GG_HTTP_SERVER, this, {
      type: GGLocatorServiceType.HTTP,
      start: () => this.start(),
      teardown: () => this.teardown(),
    });
    this.httpServer.on("request", (request, response) => {
      this.#sockets.trackResponse(response);
      if (this.#cors?.apply(request, response)) return;
      const match = this.#routes.find(request.method ?? "", request.url ?? "");
      if (match === undefined) {
        const path = (request.url ?? "").split("?", 1)[0];
        sendError(response, new ROUTE_NOT_FOUND({ displayMessage: `Route not found: ${request.method} ${path}` }));
        return;
      }
      // Async, so that a handler's exception and its rejection are handled in the same place.
      (async () => match.handler(request, response, match.params))().catch((error: unknown) => {
        const failure = new SERVER_ERROR();
        console.error(`GGHttpServer: ${request.method} route failed [${failure.context?.ref}]`, error);
        if (response.headersSent) response.destroy();
        else sendError(response, failure);
      });
    });
  }

  /** The port it listens on; undefined while it does not. */
  get port(): number | undefined {
    const address = this.httpServer.address();
    return typeof address === "object" && address !== null ? address.port : undefined;
  }

  /** The HTTP APIs in order of registration. */
  get registeredSchemas(): readonly GGRegisteredHttpSchema[] {
    return this.#schemas;
  }

  /** The WebSocket APIs in order of registration. */
  get registeredWebSocketSchemas(): readonly GGRegisteredWebSocketSchema[] {
    return this.#webSocketSchemas;
  }

  /**
   * Checks the permissions of all APIs, listens, and calls the start callbacks. Rejects without listening when a
   * permission or the port is wrong, and while listening when a start callback throws.
   */
  start(): Promise<void> {
    if (this.#stopping !== undefined) {
      return Promise.reject(new Error("GGHttpServer: it was torn down; create a new one."));
    }
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  /**
   * Waits for all teardown callbacks while the server still listens, and rejects if one does. Then it accepts no more
   * connections, waits up to 3 s for pending requests, and closes the remaining connections. The server stays in its
   * locator scope. Calling this again returns the same promise.
   */
  teardown(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /**
   * Runs the callback once the server listens; never, if it listens already. An exception makes `start` reject and
   * skips the remaining callbacks. A returned promise is not awaited; its rejection is unhandled.
   */
  onStart(callback: () => unknown): this {
    this.#startCallbacks.push(callback);
    return this;
  }

  /** Runs the callback when the server is torn down; teardown waits for a returned promise without a time limit. */
  onTeardown(callback: () => unknown): this {
    this.#teardownCallbacks.push(callback);
    return this;
  }

  /** Serves a plain route: `/metrics`, `/static/*`, `/users/:id`. A GET route answers HEAD as well. */
  registerRoute(method: string, path: string, handler: GGHttpRouteHandler): void {
    this.#routes.add(method, path, handler);
  }

  /** Allows pages of other origins to send these headers. No effect while CORS is off. */
  registerCorsHeaders(names: string[]): void {
    this.#cors?.allowHeaders(names);
  }

  /** Allows pages of other origins to read these response headers. No effect while CORS is off. */
  registerCorsExposeHeaders(names: string[]): void {
    this.#cors?.exposeHeaders(names);
  }

  /** @internal Adds an HTTP API to the permission check. */
  _registerSchema(schema: GGRegisteredHttpSchema): void {
    this.#schemas.push(schema);
  }

  /** @internal Adds a WebSocket API to the permission check. */
  _registerWebSocketSchema(schema: GGRegisteredWebSocketSchema): void {
    this.#webSocketSchemas.push(schema);
  }

  /** @internal Notes that a schema was registered with a scope resolver. */
  _markResolverWired(schema: object): void {
    this.#withResolver.add(schema);
  }

  /** @internal Called by `GGHttpSchema.register`. */
  _registerApi<M extends GGContractMethods>(
    schema: GGHttpSchema<M>,
    implementation: GGContractImplementation<M>,
    config: GGHttpRegisterConfig,
  ): void {
    registerApi(this, schema, implementation, config);
  }

  async #start(): Promise<void> {
    checkPermissions({ http: this.#schemas, webSocket: this.#webSocketSchemas, withResolver: this.#withResolver });
    await listen(this.httpServer, this.#port);
    for (const callback of this.#startCallbacks) callback();
  }

  async #stop(): Promise<void> {
    // A pending start must finish first; its own caller receives its error.
    await this.#starting?.catch(() => undefined);
    await Promise.all(this.#teardownCallbacks.map((callback) => callback()));
    const closed = new Promise<void>((resolve) => {
      this.httpServer.close(() => resolve());
    });
    await this.#sockets.waitForResponses(REQUEST_GRACE_MS);
    this.#sockets.destroyAll();
    await closed;
  }
}
