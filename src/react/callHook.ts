import { useCallback, useEffect, useRef, useState } from "react";
import type { GGCallOptions } from "../api/methodTypes.js";
import type { AnyClient, AnyOutcome } from "./anyClient.js";
import { useLatest } from "./pushHooks.js";
import type { UseCallOptions } from "./types.js";

/** What is shown of the latest call, and whose it is. */
interface Shown {
  readonly client?: AnyClient;
  /** The call that is pending; it is known by this object. */
  readonly pending?: object;
  readonly data?: unknown;
  readonly error?: unknown;
}

const NOTHING: Shown = {};

/** `useCall` of a client. */
export function useCallOf(client: AnyClient, method: string, { abortOnUnmount }: UseCallOptions = {}) {
  const [latest, setLatest] = useState(NOTHING);
  const controller = useRef<AbortController>(undefined);
  const mustAbort = useLatest(abortOnUnmount);
  useEffect(
    () => () => {
      if (mustAbort.current) controller.current?.abort();
      controller.current = undefined;
    },
    [mustAbort],
  );
  const call = useCallback(
    async (data?: unknown, options?: GGCallOptions): Promise<AnyOutcome> => {
      const pending = {};
      controller.current ??= new AbortController();
      const { signal } = controller.current;
      setLatest((before) => ({ client, pending, data: ofClient(before, client).data }));
      const outcome = await client.outgoing[method]!(data, { signal, ...options }).asResult();
      // After unmounting, React ignores this.
      setLatest((now) => {
        if (now.pending !== pending) return now;
        return outcome.success ? { client, data: outcome.data } : { client, data: now.data, error: outcome };
      });
      return outcome;
    },
    [client, method],
  );
  const { pending, data, error } = ofClient(latest, client);
  return { call, pending: !!pending, data, error };
}

/** Nothing, where it is of an earlier client. */
function ofClient(shown: Shown, client: AnyClient): Shown {
  return shown.client === client ? shown : NOTHING;
}
