import type { GGContractClass, GGContractClient, GGContractImplementation, GGContractMethods } from "@grest-ts/schema";
import { createHttpClient, type GGHttpClientConfig } from "../client/createHttpClient.js";
import type { GGHttpServer } from "../server/GGHttpServer.js";
import type { GGHttpRoute } from "./GGRpc.js";
import { GG_HTTP_SERVER, type GGScopeResolver } from "./keys.js";
import type { GGHttpServerMiddleware, GGHttpTransportMiddleware } from "./middleware.js";

/** Options of `register`. */
export interface GGHttpRegisterConfig {
  /** The server to serve on. Default: the one under GG_HTTP_SERVER. */
  readonly http?: GGHttpServer;
  /** Run after the schema's middlewares. */
  readonly middlewares?: GGHttpServerMiddleware[];
  /** Finds the caller's scopes, once per request, after the middlewares. */
  readonly permissionResolver?: GGScopeResolver;
}

/** An HTTP API that can be served and called. Made by `httpSchema(contract)…routes(…)`; immutable. */
export class GGHttpSchema<M extends GGContractMethods> {
  /** The contract's name. */
  readonly name: string;
  /** The path that all routes begin with. */
  readonly pathPrefix: string;
  /** In the order in which they run. */
  readonly apiMiddlewares: readonly GGHttpTransportMiddleware[];
  /** What is served. */
  readonly contract: GGContractClass<M>;
  /** Where each method is served. */
  readonly routes: Readonly<Record<keyof M & string, GGHttpRoute>>;

  /** @internal Use `httpSchema(contract)`. */
  constructor(
    contract: GGContractClass<M>,
    pathPrefix: string,
    middlewares: readonly GGHttpTransportMiddleware[],
    routes: Readonly<Record<keyof M & string, GGHttpRoute>>,
  ) {
    this.name = contract.name;
    this.pathPrefix = pathPrefix;
    this.apiMiddlewares = Object.freeze([...middlewares]);
    this.contract = contract;
    this.routes = Object.freeze({ ...routes });
    Object.freeze(this);
  }

  /** Serves this API; it answers once the HTTP server has started. */
  register(implementation: GGContractImplementation<M>, config: GGHttpRegisterConfig = {}): void {
    // Only the server object imports Node's modules, so this file can also run in a browser.
    const server = config.http ?? GG_HTTP_SERVER.tryGet();
    if (server === undefined) {
      throw new Error(
        `Cannot register HTTP API "${this.name}": there is no GGHttpServer. Create one first, or pass it as \`http\`.`,
      );
    }
    server._registerApi(this, implementation, config);
  }

  /** A typed client: one method per contract method, each returning a GGPromise. */
  createClient(config?: GGHttpClientConfig): GGContractClient<M> {
    return createHttpClient(this, config);
  }
}
