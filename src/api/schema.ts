import { GGContractClass, type GGContractMethod, type GGPermission } from "@grest-ts/schema";
import type { GGWebSocketClient, GGWebSocketClientConfig } from "./client.js";
import type { GGSocketContract, GGSocketContractMethods, GGSocketMethodMap } from "./contract.js";
import type { GGWebSocketMiddleware } from "./middleware.js";
import type { GGConnectionHandler, GGConnectionQuery, GGSocketServer, WebSocketSchemaConfig } from "./server.js";
import type { AnyValidator } from "./standardSchema.js";

/** What a finished schema says, without its types: what the server and the client work from. */
export interface SchemaDefinition {
  /** The API's name. */
  readonly name: string;
  /** The path as it was given to `.path()`. */
  readonly path: string;
  /** The middlewares in their order; frozen. */
  readonly middlewares: readonly GGWebSocketMiddleware[];
  /** Checks the query arguments on both ends, when one was given. */
  readonly queryValidator?: AnyValidator<unknown>;
  /** What it takes to open a connection at all. */
  readonly connectPermission?: GGPermission;
  /** The contract's method maps. */
  readonly methods: GGSocketContractMethods;
}

/** A definition that knows its contract's types. */
interface TypedDefinition<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap> extends SchemaDefinition {
  readonly methods: { readonly clientToServer: C2S; readonly serverToClient: S2C };
}

/** A schema as the HTTP server's permission check reads it. */
export interface ServableSchema extends SchemaDefinition {
  readonly contract: {
    readonly clientToServer: { readonly methods: GGSocketMethodMap };
    readonly serverToClient: { readonly methods: GGSocketMethodMap };
  };
}

/** The two ends that a schema can become. The Node and the browser entry each bring their own. */
export interface SchemaEnds {
  createClient(schema: SchemaDefinition, config: GGWebSocketClientConfig<unknown>): unknown;
  startServer(schema: ServableSchema, onConnection: unknown, config: WebSocketSchemaConfig): unknown;
}

/** The contract's methods, with their types. Test kits add to this what makes a schema testable, see `/testkit/framework`. */
export interface GGSchemaMethods<C2S, S2C> {
  /** The contract's method maps, as they were given. */
  readonly methods: {
    /** What the client may call. */
    readonly clientToServer: C2S;
    /** What the server may send. */
    readonly serverToClient: S2C;
  };
}

/**
 * An API that can be served and connected to. Made by `webSocketSchema(contract).path(…).done()`; never changes.
 *
 * @typeParam C2S the contract's `clientToServer` methods
 * @typeParam S2C the contract's `serverToClient` methods
 * @typeParam TQuery the query arguments of a connection
 * @typeParam TContext kept, like the last two, for programs of 0.0.39 that name it
 */
export interface GGWebSocketSchema<
  C2S extends GGSocketMethodMap,
  S2C extends GGSocketMethodMap,
  TContext = object,
  TQuery = undefined,
  _C2SImpl = C2S,
  _S2CImpl = S2C,
> extends GGSchemaMethods<C2S, S2C>,
    SchemaFunctions<C2S, S2C, TContext, TQuery> {
  /** The API's name. */
  readonly name: string;
  /** The path as it was given to `.path()`. */
  readonly path: string;
  /** The middlewares in their order; frozen. */
  readonly middlewares: readonly GGWebSocketMiddleware[];
  /** Checks the query arguments on both ends, when one was given. */
  readonly queryValidator?: AnyValidator<unknown>;
  /** What it takes to open a connection at all. */
  readonly connectPermission?: GGPermission;
  /** The contract as two `GGContractClass`es, named `Api.clientToServer` and `Api.serverToClient`. */
  readonly contract: SchemaContract<C2S, S2C>;
}

// A type literal: with a method of an interface editors show its type arguments, which are the whole contract.
type SchemaFunctions<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap, TContext, TQuery> = {
  /**
   * Serves this API; it listens when the HTTP server does.
   *
   * @param onConnection called once for each accepted connection
   * @throws Error when there is no HTTP server, or when the path is taken. When the permission check fails, the
   *   `start()` of a `GGHttpServer` rejects; on a server that listens, and on one of Node, this throws
   */
  register(onConnection: GGConnectionHandler<C2S, S2C, TQuery>, config?: WebSocketSchemaConfig): void;
  /** Like {@link register}, and returns the socket server. */
  startServer(
    onConnection: GGConnectionHandler<C2S, S2C, TQuery>,
    config?: WebSocketSchemaConfig,
  ): GGSocketServer<TContext, GGConnectionQuery<TQuery>, S2C>;
  /** Makes a typed client. It is not connected until its `connect()`. */
  createClient(config?: GGWebSocketClientConfig<TQuery>): GGWebSocketClient<C2S, S2C>;
};

class Schema<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap> implements ServableSchema {
  // Taken over from the definition as they are, so `declare`: no code is needed for each.
  declare readonly name: string;
  declare readonly path: string;
  declare readonly middlewares: readonly GGWebSocketMiddleware[];
  declare readonly queryValidator?: AnyValidator<unknown>;
  declare readonly connectPermission?: GGPermission;
  declare readonly methods: { readonly clientToServer: C2S; readonly serverToClient: S2C };
  readonly contract: ServableSchema["contract"];
  declare readonly register: (onConnection: unknown, config?: WebSocketSchemaConfig) => void;
  declare readonly startServer: (onConnection: unknown, config?: WebSocketSchemaConfig) => unknown;
  declare readonly createClient: (config?: GGWebSocketClientConfig<unknown>) => unknown;

  constructor(definition: TypedDefinition<C2S, S2C>, ends: SchemaEnds) {
    const { name, methods, middlewares } = Object.assign(this, definition);
    Object.freeze(middlewares);
    this.contract = Object.freeze({
      apiName: name,
      clientToServer: new GGContractClass(`${name}.clientToServer`, methods.clientToServer as ContractMethods),
      serverToClient: new GGContractClass(`${name}.serverToClient`, methods.serverToClient as ContractMethods),
    });
    // Functions that need no `this`, and that a test may replace.
    this.startServer = (onConnection, config = {}) => ends.startServer(this, onConnection, config);
    this.register = (...args) => void this.startServer(...args);
    this.createClient = (config = {}) => ends.createClient(this, config);
  }
}

/** The class of all schemas, for `instanceof`. `webSocketSchema(contract)` begins one. */
export const GGWebSocketSchema = Schema as unknown as abstract new <
  C2S extends GGSocketMethodMap,
  S2C extends GGSocketMethodMap,
>() => GGWebSocketSchema<C2S, S2C>;

/** Both directions of a schema's contract, in the form that the framework's own tools read. */
export interface SchemaContract<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap> {
  /** The API's name. */
  readonly apiName: string;
  /** What the client may call. */
  readonly clientToServer: ContractClassOf<C2S>;
  /** What the server may send. */
  readonly serverToClient: ContractClassOf<S2C>;
}

/** The framework's class of these methods: whole schemas are compared only in programs that read it. */
type ContractClassOf<M> = M extends ContractMethods ? GGContractClass<M> : never;

type ContractMethods = Readonly<Record<string, GGContractMethod>>;

/** A definition that is still being made. */
type Draft<T extends SchemaDefinition> = { -readonly [Key in keyof T]: T[Key] };

/**
 * Puts a schema together. Works as one chain and as separate statements: each step changes this builder. What a step
 * throws, it does not throw in browsers in production, which come without the checks.
 */
export class GGWebSocketSchemaBuilder<
  C2S extends GGSocketMethodMap,
  S2C extends GGSocketMethodMap,
  TQuery = undefined,
> {
  /** @internal */
  protected readonly draft: Draft<TypedDefinition<C2S, S2C>>;
  /** @internal */
  protected readonly ends: SchemaEnds;

  /** `webSocketSchema(contract)` makes one. */
  constructor(contract: ContractOf<C2S, S2C>, ends: SchemaEnds) {
    this.draft = { ...contract, path: "", middlewares: [] };
    this.ends = ends;
  }

  /**
   * The path that the API is served on, with or without its leading slash.
   *
   * @throws Error when no client could ask for it: it is empty, holds white space, `?`, `#`, `\` or a control character,
   *   or has a segment `.` or `..`
   */
  path(path: string): this {
    this.draft.path = path;
    return this;
  }

  /** Adds a middleware; they run in the order of their `use`. */
  use(middleware: GGWebSocketMiddleware): this {
    this.draft.middlewares = [...this.draft.middlewares, middleware];
    return this;
  }

  /** Types the query arguments of a connection and, given a validator, checks them at run time on both ends. */
  queryOnConnect<T>(validator?: AnyValidator<T>): GGWebSocketSchemaBuilder<C2S, S2C, T> {
    this.draft.queryValidator = validator;
    return this as unknown as GGWebSocketSchemaBuilder<C2S, S2C, T>;
  }

  /**
   * What it takes to open a connection at all; checked at the handshake.
   *
   * @throws Error when the permission is not a valid one
   */
  connectPermission(permission: GGPermission): this {
    this.draft.connectPermission = permission;
    return this;
  }

  /**
   * The finished schema, a snapshot: what is done to this builder later does not reach it.
   *
   * @throws Error when no path was given
   */
  done(): GGWebSocketSchema<C2S, S2C, object, TQuery> {
    return new Schema<C2S, S2C>(this.draft, this.ends) as unknown as GGWebSocketSchema<C2S, S2C, object, TQuery>;
  }
}

type ContractOf<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap> = GGSocketContract<{
  readonly clientToServer: C2S;
  readonly serverToClient: S2C;
}>;

/**
 * Begins a schema for a contract: give it a path and middlewares, then call `done()`.
 *
 * @param contract made by `defineSocketContract`
 */
export type WebSocketSchema = <C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap>(
  contract: ContractOf<C2S, S2C>,
) => GGWebSocketSchemaBuilder<C2S, S2C>;
