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
  /** The key to be found under. A second server in one locator scope needs its own. Default: GG_HTTP_SERVER. */
  readonly key?: GGLocatorKey<GGHttpServer>;
  /** Default: the environment variable PORT, else a free port. */
  readonly port?: number;
  /** Lets pages of other origins call. Default: off. */
  readonly cors?: boolean | GGCorsConfig;
  /** Serves https with these certificates. */
  readonly tls?: ServerOptions;
}

/** How long teardown waits for requests that are being answered. */
const REQUEST_GRACE_MS = 3_000;

/** The one server of an app: HTTP APIs and plain routes, and the socket that WebSocket APIs upgrade from. */
export class GGHttpServer {
  /** Node's server, made at once so that others can listen to its events before it starts. */
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
    // Last of what can fail: a server that was not made must not be found.
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
      // Async, so that a handler's throw and its rejection end up in the same place.
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
      return Promise.reject(new Error("GGHttpServer: it was torn down; make a new one."));
    }
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  /**
   * Waits for all teardown callbacks, while the server still listens, and rejects if one does. Then it takes no more
   * connections, gives requests that are being answered up to 3 s, and cuts all that is still open. It stays in its
   * locator scope. Calling it again returns the same promise.
   */
  teardown(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /**
   * Calls back once the server listens; never, if it does already. An exception makes `start` reject and ends the
   * calls. A returned promise is nobody's: it is not awaited, and its rejection is left to the process.
   */
  onStart(callback: () => unknown): this {
    this.#startCallbacks.push(callback);
    return this;
  }

  /** Calls back when the server is torn down, which waits for a returned promise, however long it takes. */
  onTeardown(callback: () => unknown): this {
    this.#teardownCallbacks.push(callback);
    return this;
  }

  /** Serves a plain route: `/metrics`, `/static/*`, `/users/:id`. A GET route answers HEAD as well. */
  registerRoute(method: string, path: string, handler: GGHttpRouteHandler): void {
    this.#routes.add(method, path, handler);
  }

  /** Lets pages of other origins send these headers. Without effect while CORS is off. */
  registerCorsHeaders(names: string[]): void {
    this.#cors?.allowHeaders(names);
  }

  /** Lets pages of other origins read these response headers. Without effect while CORS is off. */
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

  /** @internal What `GGHttpSchema.register` calls. */
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
    // A start under way has to come to its end first; its own caller hears of a failure.
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
