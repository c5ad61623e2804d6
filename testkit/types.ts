import type {
  FORBIDDEN,
  NOT_AUTHORIZED,
  Raw,
  ROUTE_NOT_FOUND,
  SERVER_ERROR,
  VALIDATION_ERROR,
  ValidationIssueJson,
} from "@grest-ts/schema";
import type { Declared, Given, Received } from "../src/api/methodTypes.js";

/** The input of a contract method as its handler gets it; `undefined` without one. */
export type GGTestInput<M> = M extends { readonly input: infer S extends object } ? Received<S> : undefined;

/** The input of a contract method as its caller gives it; `undefined` without one. */
export type GGTestGiven<M> = M extends { readonly input: infer S extends object } ? Given<S> : undefined;

/** The result of a contract method as its caller gets it; `undefined` without one. */
export type GGTestSuccess<M> = M extends { readonly success: infer S extends object } ? Received<S> : undefined;

/** The errors that a call may receive: the declared ones and the framework's. None without a reply. */
export type GGTestErrors<M> = M extends { readonly success: object }
  ?
      | Extract<Declared<M>, { readonly type: string }>
      | typeof VALIDATION_ERROR.infer
      | typeof NOT_AUTHORIZED.infer
      | typeof FORBIDDEN.infer
      | typeof ROUTE_NOT_FOUND.infer
      | typeof SERVER_ERROR.infer
  : never;

/** What the mock of a server-to-client method may answer with: its result, or a declared error. */
export type GGTestReply<M> = M extends { readonly success: infer S extends object }
  ? Given<S> | Declared<M> | typeof SERVER_ERROR.infer
  : never;

/** A part of a value, at every depth, as `toMatchObject` takes it. */
export type GGPartial<T> = T extends readonly (infer U)[]
  ? readonly GGPartial<U>[]
  : T extends object
    ? { readonly [K in keyof T]?: GGPartial<T[K]> }
    : T;

/** The member type of an array; `never` for other types. */
export type GGMember<T> = T extends readonly (infer U)[] ? U : never;

/** An error class made by `ERROR.define`. */
export interface GGTestErrorClass {
  /** The error's type, such as `"ROOM_FULL"`. */
  readonly TYPE: string;
  /** The type of its instances. For the compiler only. */
  readonly infer: {
    /** What it carries. */
    readonly data: unknown;
  };
}

type Leaf = string | number | boolean | bigint | symbol | null | undefined | Date | ((...args: never[]) => unknown);

/** Paths into a value, such as `items.0.name`, typed four levels deep; below that any string. */
type Path<T, Depth extends unknown[] = []> = unknown extends T
  ? string
  : T extends Leaf
    ? never
    : Depth["length"] extends 4
      ? string
      : T extends readonly (infer U)[]
        ? `${number}` | `${number}.${Path<U, [...Depth, 0]>}`
        : { [K in keyof T & string]: K | `${K}.${Path<T[K], [...Depth, 0]>}` }[keyof T & string];

/** The messages about one field of an input, in their order. */
export type GGFieldIssues = readonly string[] & {
  /** The issues themselves, with code and parameters. Not enumerable: comparisons see the messages only. */
  readonly __issue: readonly ValidationIssueJson[];
};

/**
 * What `toBeError(VALIDATION_ERROR)` resolves to: messages by field path of the method's input, `""` for the input as a
 * whole.
 */
export type GGFieldErrors<TInput> = { readonly [P in "" | Path<Raw<TInput>>]?: GGFieldIssues };

/** The data of an expected error: messages by field for a `VALIDATION_ERROR`, else what the error carries. */
export type GGTestErrorData<C extends GGTestErrorClass, TInput> = C["TYPE"] extends "VALIDATION_ERROR"
  ? GGFieldErrors<TInput>
  : [C["infer"]["data"]] extends [never]
    ? undefined
    : C["infer"]["data"];

/** What a test may compare with a value: the value without brands; for the issues of a field, their messages. */
export type GGExpected<T> = T extends GGFieldIssues
  ? readonly string[]
  : T extends { readonly ""?: GGFieldIssues }
    ? { readonly [P in keyof T]?: readonly string[] }
    : Raw<T>;
