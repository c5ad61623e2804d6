import type { ERROR, GGAnyErrorClass } from "../error/error.js";
import type { SERVER_ERROR, VALIDATION_ERROR } from "../error/standard.js";
import type { GGPermission } from "../permission/permission.js";
import type { GGPromise } from "../result/promise.js";
import type { GGSchema } from "../schema/schema.js";
import type { Raw } from "../types/brand.js";

/** One method of a contract. */
export interface GGContractMethod<Req = unknown, Res = unknown, Errs extends GGAnyErrorClass = GGAnyErrorClass> {
  /** Checks the input; without it the method takes none. */
  readonly input?: GGSchema<Req>;
  /** Checks the result; without it the method gives none. */
  readonly success?: GGSchema<Res>;
  /** The errors that callers may meet, besides `SERVER_ERROR` and `VALIDATION_ERROR`. */
  readonly errors?: readonly Errs[];
  /** What a caller needs. */
  readonly permission?: GGPermission;
}

/** The methods of a contract, by name. */
export type GGContractMethods = { readonly [name: string]: GGContractMethod };

/** The input of a method, as its handler gets it. */
export type GGMethodInput<M> = M extends { readonly input: { readonly infer: infer I } } ? I : undefined;

/** The result of a method, as its caller gets it. */
// biome-ignore lint/suspicious/noConfusingVoidType: the type argument of the promise that a call returns.
export type GGMethodOutput<M> = M extends { readonly success: { readonly infer: infer O } } ? O : void;

/** The errors that a method declares. */
export type GGMethodErrors<M> = M extends { readonly errors: readonly (infer C)[] }
  ? C extends new (
      ...args: never[]
    ) => infer E
    ? E
    : never
  : never;

type HasInput<M> = M extends { readonly input: GGSchema<unknown> } ? true : false;
type HasSuccess<M> = M extends { readonly success: GGSchema<unknown> } ? true : false;

type Parameters1<I> = undefined extends I ? [data?: I] : [data: I];

/** What a caller may meet instead of a result. */
export type GGCallErrors<M> =
  HasSuccess<M> extends true
    ? GGMethodErrors<M> | SERVER_ERROR | (HasInput<M> extends true ? VALIDATION_ERROR : never)
    : GGMethodErrors<M> | SERVER_ERROR;

/**
 * The function that carries out a method. It may return brand-free data: validation adds nothing at run time. Where a
 * method has no result, the function may return anything, a promise too; it is waited for and dropped.
 */
export type GGImplementationMethod<M> =
  HasInput<M> extends true
    ? HasSuccess<M> extends true
      ? (data: GGMethodInput<M>) => Raw<GGMethodOutput<M>> | PromiseLike<Raw<GGMethodOutput<M>>>
      : (data: GGMethodInput<M>) => void
    : HasSuccess<M> extends true
      ? () => Raw<GGMethodOutput<M>> | PromiseLike<Raw<GGMethodOutput<M>>>
      : () => void;

/** The function that calls a method. */
export type GGClientMethod<M> =
  HasInput<M> extends true
    ? (...args: Parameters1<Raw<GGMethodInput<M>>>) => GGPromise<GGMethodOutput<M>, GGCallErrors<M>>
    : () => GGPromise<GGMethodOutput<M>, GGCallErrors<M>>;

/** The functions that carry out the methods of a contract. */
export type GGContractImplementation<M> = { [K in keyof M]: GGImplementationMethod<M[K]> };

/** The functions that call the methods of a contract. */
export type GGContractClient<M> = { readonly [K in keyof M]: GGClientMethod<M[K]> };

/** Any error of the framework or of an app. */
export type GGAnyError = ERROR<string, unknown>;
