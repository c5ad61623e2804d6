import type { ERROR_CLASS } from "../error/error.js";
import type { SERVER_ERROR, VALIDATION_ERROR } from "../error/standard.js";
import type { GGPermission } from "../permission/permission.js";
import type { GGPromise } from "../result/promise.js";
import type { GGSchema } from "../schema/schema.js";

/** One method of a contract. */
export interface GGContractMethod<Req = unknown, Res = unknown, Errs extends ERROR_CLASS = ERROR_CLASS> {
  /** Checks the input; without it the method takes none. */
  readonly input?: GGSchema<Req>;
  /** Checks the result; without it the method returns none. */
  readonly success?: GGSchema<Res>;
  /** The errors that callers may receive, besides `SERVER_ERROR` and `VALIDATION_ERROR`. */
  readonly errors?: Errs[];
  /** The permission that a caller needs. */
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
export type GGMethodErrors<M> = M extends { readonly errors: (infer C)[] }
  ? C extends { readonly infer: infer E }
    ? E
    : never
  : never;

type WithInput = { readonly input: GGSchema<unknown> };
type WithSuccess = { readonly success: GGSchema<unknown> };

/** The errors that a caller may receive instead of a result. */
export type GGCallErrors<M> =
  | typeof SERVER_ERROR.infer
  | (M extends WithInput | WithSuccess ? GGMethodErrors<M> : never)
  | (M extends WithInput & WithSuccess ? typeof VALIDATION_ERROR.infer : never);

/** The function that implements a method. */
export type GGImplementationMethod<M> = M extends WithInput
  ? (data: GGMethodInput<M>) => Promise<GGMethodOutput<M>>
  : () => Promise<GGMethodOutput<M>>;

/** The function that calls a method. */
export type GGClientMethod<M> = M extends WithInput
  ? (data: GGMethodInput<M>) => GGPromise<GGMethodOutput<M>, GGCallErrors<M>>
  : () => GGPromise<GGMethodOutput<M>, GGCallErrors<M>>;

/** The functions that implement the methods of a contract. */
export type GGContractImplementation<M> = { [K in keyof M]: GGImplementationMethod<M[K]> };

/** The functions that call the methods of a contract. */
export type GGContractClient<M> = { readonly [K in keyof M]: GGClientMethod<M[K]> };
