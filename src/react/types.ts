import type { OK } from "@grest-ts/schema";
import type { ReactElement, ReactNode } from "react";
import type { ClientState, ClientStateDetail, GGWebSocketClient } from "../api/client.js";
import type { GGSocketMethodMap } from "../api/contract.js";
import type { GGSocketCallable, GGSocketHandler } from "../api/methodTypes.js";

/** A method that is answered. */
type Answered = { readonly success: object };
/** The names of the methods that are not answered. */
type PushOf<T> = { [K in keyof T]: T[K] extends Answered ? never : K }[keyof T] & string;
/** The names of the methods that are answered. */
type RequestOf<T> = { [K in keyof T]: T[K] extends Answered ? K : never }[keyof T] & string;

/** The outcome of a call, as its `asResult()` gives it. */
type OutcomeOf<M> = ReturnType<GGSocketCallable<M>> extends { asResult(): Promise<infer T> } ? T : never;
type DataOf<M> = Extract<OutcomeOf<M>, OK> extends { readonly data: infer T } ? T : never;
type ErrorOf<M> = Exclude<OutcomeOf<M>, OK>;

/** What `createHooks` needs of an API: its schema or its contract. */
export interface HookedApi<C2S, S2C> {
  /** The API's name, for messages. */
  readonly name: string;
  /** The method maps, for the types. */
  readonly methods: {
    /** What can be called. */
    readonly clientToServer: C2S;
    /** What is pushed, and asked. */
    readonly serverToClient: S2C;
  };
}

/** Props of a `SocketProvider`. */
export interface SocketProviderProps<C2S, S2C> {
  /** Made by `createClient()` of the API, outside of components or in `useState(() => …)`. */
  readonly client: GGWebSocketClient<C2S, S2C>;
  /** The components that use it. */
  readonly children?: ReactNode;
}

/** What `useConnection` returns: where a connection is, and why. */
export interface ConnectionInfo extends ClientStateDetail {
  /** Where the client is in its life; `"idle"` on a server. */
  readonly state: ClientState;
  /** Since when it is there, in ms since 1970, as far as the hooks have seen it; 0 while `"idle"`. */
  readonly since: number;
}

/** Options of `useCall`. */
export interface UseCallOptions {
  /**
   * Whether calls that wait for their reply are aborted when the component unmounts. Default `false`: leaving a page does
   * not take back what it sent.
   */
  readonly abortOnUnmount?: boolean | undefined;
}

// Type literals: of an interface editors show the type arguments, here the whole contract.

/** What `useCall` returns. */
export type CallState<M> = {
  /**
   * Calls the method. Resolves with the outcome, `{ success: true, data }` or the error, and never rejects. The same
   * function at each render. A `signal` of the options takes the place of `abortOnUnmount`.
   */
  readonly call: (...args: Parameters<GGSocketCallable<M>>) => Promise<OutcomeOf<M>>;
  /** Whether the latest call waits for its reply. */
  readonly pending: boolean;
  /** The result of the latest call that succeeded; a later call leaves it until it succeeds. */
  readonly data: DataOf<M> | undefined;
  /** The error of the latest call; `sentenceOf(error)` is its sentence. */
  readonly error: ErrorOf<M> | undefined;
} & {};

/** The provider and the hooks of one API, made by `createHooks()`. */
export type SocketHooks<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap> = {
  /**
   * Gives a client to the components within. Connects when it mounts and, unless the client was connecting or connected
   * before, disconnects after the last provider of this client has unmounted.
   */
  readonly SocketProvider: (props: SocketProviderProps<C2S, S2C>) => ReactElement;
  /**
   * The client of the provider.
   *
   * @throws Error outside of a provider, like all of these hooks
   */
  readonly useClient: () => GGWebSocketClient<C2S, S2C>;
  /** The state of the connection; renders when it changes. */
  readonly useConnection: () => ConnectionInfo;
  /**
   * Runs `handler`, the one of the latest render, for each push while the component is mounted. Does not render. Any number
   * of components may handle the same push.
   */
  readonly usePush: <K extends PushOf<S2C>>(method: K, handler: GGSocketHandler<S2C[K]>) => void;
  /**
   * A state made of pushes: `reducer` sees each of them, and a batch renders once. Begins with `initial`, and again when
   * the provider gets another client.
   *
   * @param reducer a pure function, as with `useReducer`
   */
  readonly usePushState: UsePushState<S2C>;
  /**
   * Answers the requests of a method while the component is mounted, by the `handler` of the latest render. When several
   * components answer it, the one that mounted last does.
   */
  readonly useAnswer: <K extends RequestOf<S2C>>(method: K, handler: GGSocketHandler<S2C[K]>) => void;
  /**
   * A method of the server as a function, with the state of its latest call. The state begins anew for another method, and when the provider gets
   * another client.
   */
  readonly useCall: <K extends keyof C2S & string>(method: K, options?: UseCallOptions) => CallState<C2S[K]>;
};

type PayloadOf<M> = Parameters<GGSocketHandler<M>>;
type ItemOf<M> = PayloadOf<M> extends [infer T] ? T : undefined;

/** The type of `usePushState`. */
export type UsePushState<S2C> = {
  /** A list of what is pushed, which begins with `[]`. */
  <K extends PushOf<S2C>>(
    method: K,
    reducer: (list: readonly ItemOf<S2C[K]>[], ...data: PayloadOf<S2C[K]>) => readonly ItemOf<S2C[K]>[],
    initial: readonly [],
  ): readonly ItemOf<S2C[K]>[];
  /** Any other state. */
  <K extends PushOf<S2C>, S>(method: K, reducer: (state: S, ...data: PayloadOf<S2C[K]>) => S, initial: S): S;
};
