import type { GGSchema } from "../schema/schema.js";
import type { Raw } from "../types/brand.js";
import {
  createRef,
  debugContext,
  type GGErrorContext,
  type GGErrorDebugContext,
  type GGErrorPublicContext,
  publicContext,
} from "./context.js";

/** An error in its wire form. */
export interface ERROR_JSON<Type extends string = string, Data = unknown> {
  success: false;
  type: Type;
  data: Data;
  statusCode?: number;
  context?: GGErrorPublicContext;
}

/** A class made by `ERROR.define`; without type arguments, any of them. */
export interface ERROR_CLASS<T extends string = string, D = unknown> {
  readonly TYPE: T;
  readonly STATUS_CODE: number;
  /** The type of the instances. For the compiler only: reading it throws. */
  readonly infer: ERROR<T, D>;
  /** Checks the data; absent when the error has none. */
  readonly schema?: GGSchema<D>;
  /** Whether `value` is an error of this type. */
  is(value: unknown): value is ERROR<T, D>;
}

/** A class of errors that carry no data. */
export interface ERR_CLASS<T extends string> extends ERROR_CLASS<T, never> {
  new (context?: GGErrorContext): ERROR<T, never>;
}

/** A class of errors that carry data. */
export interface ERR_CLASS_DATA<T extends string, D> extends ERROR_CLASS<T, D> {
  new (data: Raw<D>, context?: GGErrorContext): ERROR<T, D>;
}

const classes = /* @__PURE__ */ new Map<string, ERROR_CLASS>();

/** Set in the context of an error from the wire, whose stack would only show where it was rebuilt. */
const REMOTE = /* @__PURE__ */ Symbol("remote");

type InternalContext = GGErrorContext & { readonly [REMOTE]?: boolean };

/** An error that is part of a contract: thrown on one side, received as the same class on the other. */
export abstract class ERROR<Type extends string = string, Data = unknown> extends Error {
  readonly success = false as const;
  readonly type: Type;
  readonly statusCode: number;
  readonly data: Data;
  readonly context?: GGErrorPublicContext;
  readonly #debug: GGErrorDebugContext | undefined;

  protected constructor(type: Type, statusCode: number, data: Data, context: GGErrorContext = {}) {
    super(type);
    this.type = type;
    this.statusCode = statusCode;
    this.data = data;
    const { originalError } = context;
    const inherited = originalError instanceof ERROR ? originalError.context?.ref : undefined;
    this.context = Object.freeze({
      displayMessage: context.displayMessage,
      timestamp: context.timestamp ?? Date.now(),
      ref: context.ref ?? inherited ?? createRef(),
    }) as GGErrorPublicContext;
    this.#debug = debugContext(context);
    if ((context as InternalContext)[REMOTE]) Object.defineProperty(this, "stack", { value: undefined });
    Object.freeze(this);
  }

  /** Details for developers; never sent to the other side. */
  getDebugContext(): GGErrorDebugContext | undefined {
    return this.#debug;
  }

  hasDebugContext(): boolean {
    return this.#debug !== undefined;
  }

  toJSON(): ERROR_JSON<Type, Data> {
    const { success, type, data, statusCode, context } = this;
    return { success, type, data, statusCode, context: context as GGErrorPublicContext };
  }

  /** Makes the class of an error type. A type that exists already gives the existing class. */
  static define<const Type extends string>(type: Type, statusCode: number): ERR_CLASS<Type>;
  static define<const Type extends string, Data>(
    type: Type,
    statusCode: number,
    schema: GGSchema<Data>,
  ): ERR_CLASS_DATA<Type, Data>;
  static define(type: string, statusCode: number, schema?: GGSchema<unknown>): ERROR_CLASS {
    if (!/^[A-Z][A-Za-z0-9_]*$/.test(type)) {
      throw new Error(`An error type starts with a capital, then letters, digits or _: "${type}"`);
    }
    if (!Number.isInteger(statusCode) || statusCode < 100 || statusCode > 599) {
      throw new Error(`The status code of ${type} must be a whole number from 100 to 599: ${statusCode}`);
    }
    const known = classes.get(type);
    if (known) return known;
    const created = createClass(type, statusCode, schema);
    classes.set(type, created);
    return created;
  }

  /** Makes the class of an error with status 400. */
  static badRequest<const Type extends string>(type: Type): ERR_CLASS<Type>;
  static badRequest<const Type extends string, Data>(type: Type, schema: GGSchema<Data>): ERR_CLASS_DATA<Type, Data>;
  static badRequest(type: string, schema?: GGSchema<unknown>): ERROR_CLASS {
    return ERROR.define(type, 400, schema as GGSchema<unknown>);
  }

  /** Whether `value` has the form of an error: an instance, or its wire form. */
  static isJson(value: unknown): value is ERROR_JSON {
    if (typeof value !== "object" || value === null) return false;
    const { success, type } = value as Record<string, unknown>;
    return success === false && typeof type === "string";
  }

  /** Any thrown value as an error; a value that is none becomes a `SERVER_ERROR` that does not expose it. */
  static fromUnknown(thrown: unknown): ERROR {
    const ServerError = ERROR.define("SERVER_ERROR", 500);
    try {
      if (thrown instanceof ERROR) return thrown;
      if (thrown instanceof Error) return new ServerError({ originalError: thrown });
      if (typeof thrown === "function" && thrown.prototype instanceof ERROR) {
        return new ServerError({ debugMessage: `The class ${thrown.name} was thrown, not an instance of it` });
      }
    } catch {
      // A Proxy that does not say what it is.
    }
    return new ServerError({ debugData: thrown });
  }
}

function createClass(type: string, statusCode: number, schema: GGSchema<unknown> | undefined): ERROR_CLASS {
  class DefinedError extends ERROR<string, unknown> {
    static readonly TYPE = type;
    static readonly STATUS_CODE = statusCode;
    static readonly schema = schema;

    constructor(...args: unknown[]) {
      const [data, context] = schema ? args : [undefined, args[0]];
      super(type, statusCode, data, (context as GGErrorContext | undefined) ?? {});
    }

    static get infer(): never {
      throw new Error("`infer` is a type, write `typeof ErrorClass.infer`; it has no value");
    }

    static is(value: unknown): boolean {
      return value instanceof ERROR && value.type === type;
    }
  }
  Object.defineProperty(DefinedError, "name", { value: type });
  Object.defineProperty(DefinedError.prototype, "name", { value: type });
  return DefinedError as unknown as ERROR_CLASS;
}

/** An instance of `ErrorClass`, which takes data exactly when it has a schema. */
export function createError(ErrorClass: ERROR_CLASS, data: unknown, context: GGErrorContext): ERROR {
  const Class = ErrorClass as unknown as new (...args: unknown[]) => ERROR;
  return ErrorClass.schema ? new Class(data, context) : new Class(context);
}

/** An instance of `ErrorClass` from its wire form, or from an error with cleaned data. */
export function reviveError(ErrorClass: ERROR_CLASS, json: ERROR_JSON, data: unknown): ERROR {
  const debug = json instanceof ERROR ? { originalError: json, ...json.getDebugContext() } : undefined;
  const context: InternalContext = { ...publicContext(json.context), ...debug, [REMOTE]: true };
  return withoutStack(() => createError(ErrorClass, data, context));
}

// Capturing a stack that is not used would be most of the cost of an error reply.
function withoutStack<T>(create: () => T): T {
  const limit = Error.stackTraceLimit;
  if (typeof limit !== "number" || Object.isFrozen(Error)) return create();
  Error.stackTraceLimit = 0;
  try {
    return create();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
