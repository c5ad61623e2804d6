import type { GGContextKey } from "@grest-ts/context";
import type { GGContractClass, GGContractMethods } from "@grest-ts/schema";
import { GGHttpSchema } from "./GGHttpSchema.js";
import type { GGHttpRoute } from "./GGRpc.js";
import { HeaderMiddleware } from "./headerMiddleware.js";
import type { GGHttpTransportMiddleware } from "./middleware.js";

/** Builds an HTTP API from its contract. */
export class GGHttpSchemaBuilder<M extends GGContractMethods> {
  readonly #contract: GGContractClass<M>;
  readonly #middlewares: GGHttpTransportMiddleware[] = [];
  #prefix = "";

  constructor(contract: GGContractClass<M>) {
    this.#contract = contract;
  }

  /** The path that all routes begin with. */
  pathPrefix(prefix: string): this {
    this.#prefix = prefix;
    return this;
  }

  /** Adds a middleware; they run in the order they were added. */
  use(middleware: GGHttpTransportMiddleware): this {
    this.#middlewares.push(middleware);
    return this;
  }

  /** Carries a context key's value in a header: from the caller's context into the request's. */
  useHeader<T>(key: GGContextKey<T>): this {
    return this.use(new HeaderMiddleware(key));
  }

  /** Assigns every method its route, and completes the schema. */
  routes(routes: Readonly<Record<keyof M & string, GGHttpRoute>>): GGHttpSchema<M> {
    for (const method of Object.keys(this.#contract.methods)) {
      if (!Object.hasOwn(routes, method)) throw new Error(`Route missing for ${this.#contract.name}.${method}`);
    }
    return new GGHttpSchema(this.#contract, this.#prefix, this.#middlewares, routes);
  }
}

/** Starts the schema of an HTTP API over a contract. */
export function httpSchema<M extends GGContractMethods>(contract: GGContractClass<M>): GGHttpSchemaBuilder<M> {
  return new GGHttpSchemaBuilder(contract);
}
