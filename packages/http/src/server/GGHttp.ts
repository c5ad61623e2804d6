import type { GGContractImplementation, GGContractMethods } from "@grest-ts/schema";
import type { GGHttpSchema } from "../api/GGHttpSchema.js";
import type { GGScopeResolver } from "../api/keys.js";
import type { GGHttpServerMiddleware } from "../api/middleware.js";
import type { GGHttpServer } from "./GGHttpServer.js";

/** Registers several HTTP APIs on a server with common middlewares and scopes. */
export class GGHttp {
  readonly #middlewares: GGHttpServerMiddleware[] = [];
  #permissionResolver: GGScopeResolver | undefined;

  constructor(private readonly server: GGHttpServer) {}

  /** Adds a middleware to the APIs that follow. */
  use(middleware: GGHttpServerMiddleware): this {
    this.#middlewares.push(middleware);
    return this;
  }

  /** Finds the caller's scopes for the APIs that follow. */
  usePermissions(resolver: GGScopeResolver): this {
    this.#permissionResolver = resolver;
    return this;
  }

  /** Serves an API. */
  http<M extends GGContractMethods>(schema: GGHttpSchema<M>, implementation: GGContractImplementation<M>): this {
    schema.register(implementation, {
      http: this.server,
      middlewares: [...this.#middlewares],
      ...(this.#permissionResolver && { permissionResolver: this.#permissionResolver }),
    });
    return this;
  }
}
