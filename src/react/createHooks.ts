import { createContext, createElement, type ReactNode, useContext, useEffect, useSyncExternalStore } from "react";
import type { GGSocketMethodMap } from "../api/contract.js";
import type { AnyClient } from "./anyClient.js";
import { useCallOf } from "./callHook.js";
import { useAnswerOf, usePushOf, usePushStateOf } from "./pushHooks.js";
import { IDLE, isOff, sharedClient } from "./sharedClient.js";
import type { HookedApi, SocketHooks } from "./types.js";

/** All arguments of a hook but the client. */
type Rest<T> = T extends (client: AnyClient, ...rest: infer R) => unknown ? R : never;

/**
 * Makes the provider and the hooks of one API. Call it once, in a module of your own, and export what it returns.
 *
 * @param api the schema of the API, or its contract
 */
export function createHooks<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap>(
  api: HookedApi<C2S, S2C>,
): SocketHooks<C2S, S2C> {
  const { name } = api;
  const Context = createContext<AnyClient | undefined>(undefined);
  Context.displayName = name;

  const clientFor = (hook: string): AnyClient => {
    const client = useContext(Context);
    if (client) return client;
    throw new Error(
      `${name}: ${hook}() needs <SocketProvider client={…}> around its component, of the same createHooks()`,
    );
  };
  const hooks = {
    // biome-ignore lint/correctness/noComponentHookFactories: each API has a provider of its own, made once.
    SocketProvider: ({ client, children }: { client: AnyClient; children?: ReactNode }) => {
      const wasOff = isOff(client);
      // biome-ignore lint/correctness/useExhaustiveDependencies: that of the render which brought this client.
      useEffect(() => sharedClient(client).hold(wasOff), [client]);
      return createElement(Context.Provider, { value: client }, children);
    },
    useClient: () => clientFor("useClient"),
    useConnection: () => {
      const { watch, connection } = sharedClient(clientFor("useConnection"));
      return useSyncExternalStore(watch, connection, () => IDLE);
    },
    usePush: (...args: Rest<typeof usePushOf>) => usePushOf(clientFor("usePush"), ...args),
    usePushState: (...args: Rest<typeof usePushStateOf>) => usePushStateOf(clientFor("usePushState"), ...args),
    useAnswer: (...args: Rest<typeof useAnswerOf>) => useAnswerOf(clientFor("useAnswer"), ...args),
    useCall: (...args: Rest<typeof useCallOf>) => useCallOf(clientFor("useCall"), ...args),
  };
  return hooks as unknown as SocketHooks<C2S, S2C>;
}
