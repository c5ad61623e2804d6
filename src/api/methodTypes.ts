import type { GGPromise, Raw, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import type { Unsubscribe } from "./unsubscribe.js";

/** Options of one call, given as its second argument. */
export interface GGCallOptions {
  /** How long to wait for the reply, in ms. Default: the connection's `timeout` (30,000). */
  readonly timeout?: number | undefined;
  /**
   * Cancels the call when aborted: it settles at once with a `SERVER_ERROR`, and the handler's own signal
   * (`GG_WS_MESSAGE.get().signal`) is aborted where both ends support that.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether a message (a method without `success`) may be left out when its peer reads too slowly and its
   * `maxOutboxBytes` is reached; without it the connection is closed then. Default `false`.
   */
  readonly droppable?: boolean | undefined;
}

type AnyFunction = (...args: never[]) => unknown;
/** What an error class is the type of. */
type Inferred<TClass> = TClass extends { readonly infer: infer T } ? T : never;
interface Types {
  readonly input: unknown;
  readonly output: unknown;
}
/** A Standard Schema, as far as its types go. */
interface Standard {
  // All have `validate`: without it, one that states no types shares no member with this, and does not extend it.
  readonly "~standard": { readonly validate: unknown; readonly types?: Types | undefined };
}
/** Both are `unknown` where a schema does not state them, be it that it has no such member. */
type TypesOf<S extends Standard> = [StatedTypes<S>] extends [never] ? Types : StatedTypes<S>;
type StatedTypes<S extends Standard> = Extract<S["~standard"]["types"], Types>;
/** What may be given to a validator: to one of `@grest-ts/schema` its type without brands, see {@link Received}. */
export type Given<S> = S extends { readonly safeParse: unknown; readonly infer: infer T }
  ? Raw<T>
  : S extends Standard
    ? TypesOf<S>["input"]
    : never;
/** What a validator makes of what it is given. Not all that have `infer` are of `@grest-ts/schema`. */
export type Received<S> = S extends { readonly safeParse: unknown; readonly infer: infer T }
  ? T
  : S extends Standard
    ? TypesOf<S>["output"]
    : never;
type GivenInput<M> = M extends { readonly input: infer S } ? Given<S> : undefined;
/** The errors that a contract method declares. */
export type Declared<M> = M extends { readonly errors: readonly (infer C)[] } ? Inferred<C> : never;
type OnlyWithInput<M, T> = M extends { readonly input: object } ? T : never;

/** What may go wrong with a call, as its `GGPromise` lists it. */
type CallErrors<M> = M extends { readonly success: object }
  ? Declared<M> | typeof SERVER_ERROR.infer | OnlyWithInput<M, typeof VALIDATION_ERROR.infer>
  : typeof SERVER_ERROR.infer;

// A conditional, which editors show as what it comes to: an alias of `GGPromise<…>` they would show with all of M.
type CallResult<M> = M extends { readonly success: infer S extends object }
  ? GGPromise<Received<S>, CallErrors<M>>
  : GGPromise<void, CallErrors<M>>;

/** One contract method as its caller sees it. A caller needs no brands: the receiver's schema checks the value. */
export type GGSocketCallable<M> = M extends { readonly input: object }
  ? undefined extends GivenInput<M>
    ? (data?: GivenInput<M>, options?: GGCallOptions) => CallResult<M>
    : (data: GivenInput<M>, options?: GGCallOptions) => CallResult<M>
  : (data?: undefined, options?: GGCallOptions) => CallResult<M>;

type Handler<M, Args extends unknown[]> = M extends { readonly success: infer S extends object }
  ? (...args: Args) => Given<S> | PromiseLike<Given<S>>
  : (...args: Args) => void; // a function that returns anything fits here, an asynchronous one too

/** One contract method as its implementer writes it. */
export type GGSocketHandler<M> = Handler<
  M,
  M extends { readonly input: infer S extends object } ? [data: Received<S>] : []
>;

/** An {@link Unsubscribe} where 0.0.39 returns nothing: `(incoming): void => incoming.on(…)` compiles as it did. */
// biome-ignore lint/suspicious/noConfusingVoidType: it is what a function returns.
type UnsubscribeOfVoid = Unsubscribe & void;

// Editors show an alias with all its arguments, here the whole contract, and so the interface of a method. `& {}` makes
// them show the members instead, and a method of a type literal stands alone.

/** The callable form of a contract's method map; a ready-made client type passes through unchanged. */
export type GGSocketCalls<T> = {
  readonly [K in keyof T]: T[K] extends AnyFunction ? T[K] : GGSocketCallable<T[K]>;
} & {};

/** The handlers that a contract's method map asks for; a ready-made implementation type passes through unchanged. */
export type GGSocketHandlers<T> = {
  [K in keyof T]: T[K] extends AnyFunction ? T[K] : GGSocketHandler<T[K]>;
} & {};

/** What a connection receives: register the handlers of all its methods with `on`. */
export type WebSocketIncoming<T> = {
  /**
   * Sets the handlers of all methods. May be called again, for example with `{ ...handlers, typing: other }`: a later
   * handler of a method replaces the earlier one, until it is taken back.
   */
  on(handlers: GGSocketHandlers<T>): UnsubscribeOfVoid;
};

/** What a connection can send: one function per method, and `onClose`. */
export type WebSocketOutgoing<T> = GGSocketCalls<T> & {
  /**
   * Runs `callback` once, inside the connection's context, when the connection has closed; at once if it already has.
   */
  onClose(callback: () => void): UnsubscribeOfVoid;
};

/** Options of one message to a group, given as its second argument. */
export interface GGGroupCallOptions {
  /**
   * Whether members that read too slowly, with their `maxOutboxBytes` reached, may do without; without it their
   * connections are closed then. Such a message is never kept, so it has no place in the order of those that are.
   * Default `false`.
   */
  readonly droppable?: boolean | undefined;
  /** The `outgoing` of a connection that does not get it, such as that of its sender. */
  readonly except?: object | undefined;
}

/** One contract method as a group sends it. */
export type GGGroupCallable<M> = M extends { readonly input: object }
  ? undefined extends GivenInput<M>
    ? (data?: GivenInput<M>, options?: GGGroupCallOptions) => CallResult<M>
    : (data: GivenInput<M>, options?: GGGroupCallOptions) => CallResult<M>
  : (data?: undefined, options?: GGGroupCallOptions) => CallResult<M>;

/** What can be sent to many connections at once: the methods without `success`, since a group collects no replies. */
export type GGGroupCalls<T> = {
  readonly [K in keyof T as T[K] extends { readonly success: object } ? never : K]: GGGroupCallable<T[K]>;
};

/** What a client receives: any part of the methods, since a client need not handle every push. */
export type GGWebSocketClientIncoming<T> = {
  /**
   * Sets handlers, before or after `connect()`. May be called again: a later handler of a method replaces the earlier one,
   * until it is taken back.
   */
  on(handlers: Partial<GGSocketHandlers<T>>): UnsubscribeOfVoid;
};
