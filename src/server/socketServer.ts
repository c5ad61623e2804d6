import type { GGHttpServer } from "@grest-ts/http";
import { checkPath } from "../api/definitionChecks.js";
import { INSPECTED } from "../api/inspect.js";
import { checkOptions, SOCKET_SERVER_OPTIONS } from "../api/optionChecks.js";
import type {
  GGCloseOptions,
  GGKeyRevocation,
  GGNodeServer,
  GGSocketServerConfig,
  GGSocketServer as SocketServer,
} from "../api/server.js";
import type { Unsubscribe } from "../api/unsubscribe.js";
import { bindMembers } from "../connection/bindMembers.js";
import { loggerOf } from "../connection/logger.js";
import { captureScope } from "../connection/node/asyncScope.js";
import { hostOf } from "./host/hostOf.js";
import { Registration } from "./registration.js";
import type { RawConnectionHandler } from "./servedApi.js";

type HttpServer = GGHttpServer | GGNodeServer;

/** What programs see of an API that is being served. */
class Server implements SocketServer {
  readonly #registration: Registration;

  constructor(served: HttpServer | Registration, config?: GGSocketServerConfig) {
    this.#registration = served instanceof Registration ? served : register(served, config as GGSocketServerConfig);
    bindMembers(this);
    Object.defineProperty(this, INSPECTED, { value: this.#registration.inspected });
  }

  get apiName(): string {
    return this.#registration.apiName;
  }

  get path(): string {
    return this.#registration.path;
  }

  get connectionCount(): number {
    return this.#registration.connectionCount;
  }

  onConnection(...[handler]: Parameters<SocketServer["onConnection"]>): Unsubscribe {
    const { rawHandlers } = this.#registration;
    // A function of its own: the same handler may be given twice.
    const added: RawConnectionHandler = (socket, query) => handler(socket, query);
    rawHandlers.add(added);
    return () => rawHandlers.delete(added);
  }

  closeConnections(match: () => boolean, options?: GGCloseOptions): number;
  closeConnections(revocation: GGKeyRevocation): Promise<number>;
  closeConnections(which: (() => boolean) | GGKeyRevocation, options?: GGCloseOptions): number | Promise<number> {
    if (typeof which === "function") return this.#registration.closeConnections(which, options);
    return this.#registration.revokeKey(which);
  }

  to(key: string): object {
    return this.#registration.keyGroups.to(key);
  }

  teardown(): Promise<void> {
    return this.#registration.teardownForCaller();
  }
}

export type GGSocketServer<TContext = object, TQuery = unknown, S2C = object> = SocketServer<TContext, TQuery, S2C>;

/**
 * Serves a path without a contract: `onConnection` gets a raw socket for each connection. An API with a contract is
 * served by its schema's `register` or `startServer`.
 *
 * @param http a `GGHttpServer`, or a server of Node, as for `startServer`
 * @throws Error when the path is taken, no client could ask for it, or `http` is no HTTP server
 */
export const GGSocketServer = Server as unknown as new <TContext = object, TQuery = unknown>(
  http: GGHttpServer | GGNodeServer,
  config: GGSocketServerConfig<TQuery>,
) => GGSocketServer<TContext, TQuery>;

/** The public side of a registration. */
export function serverOf(registration: Registration): SocketServer {
  return new Server(registration);
}

function register(http: HttpServer, config: GGSocketServerConfig): Registration {
  const { apiName: name, middlewares = [], ...more } = config;
  const warn = (message: string) => loggerOf(undefined, name, captureScope()).warn(message);
  checkOptions({ apiName: name, call: "GGSocketServer", warn }, config, SOCKET_SERVER_OPTIONS);
  checkPath(name, more.path);
  const schema = { name, middlewares, methods: { clientToServer: {}, serverToClient: {} }, ...more };
  return new Registration(schema, () => {}, hostOf(http, name), {});
}
