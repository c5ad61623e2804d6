import type { GGHttpServer } from "@grest-ts/http";
import type { GGSocketServerConfig, GGSocketServer as SocketServer } from "../api/server.js";
import { Registration } from "./registration.js";

/** What programs see of an API that is being served. */
class Server implements SocketServer {
  readonly #registration: Registration;

  constructor(served: GGHttpServer | Registration, config?: GGSocketServerConfig) {
    this.#registration = served instanceof Registration ? served : register(served, config as GGSocketServerConfig);
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

  onConnection(...[handler]: Parameters<SocketServer["onConnection"]>): void {
    this.#registration.rawHandlers.push(handler);
  }

  closeConnections(...revocation: Parameters<SocketServer["closeConnections"]>): number {
    return this.#registration.closeConnections(...revocation);
  }

  teardown(): Promise<void> {
    return this.#registration.teardown();
  }
}

export type GGSocketServer<TContext = object, TQuery = unknown> = SocketServer<TContext, TQuery>;

/**
 * Serves a path without a contract: `onConnection` gets a raw socket for each connection. An API with a contract is
 * served by its schema's `register` or `startServer`.
 *
 * @throws Error when the path is taken
 */
export const GGSocketServer = Server as unknown as new <TContext = object, TQuery = unknown>(
  http: GGHttpServer,
  config: GGSocketServerConfig<TQuery>,
) => GGSocketServer<TContext, TQuery>;

/** The public side of a registration. */
export function serverOf(registration: Registration): SocketServer {
  return new Server(registration);
}

function register(
  http: GGHttpServer,
  { apiName: name, middlewares = [], ...more }: GGSocketServerConfig,
): Registration {
  const schema = { name, middlewares, methods: { clientToServer: {}, serverToClient: {} }, ...more };
  return new Registration(schema, () => {}, http, {});
}
