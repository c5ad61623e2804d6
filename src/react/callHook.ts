import { useCallback, useEffect, useRef, useState } from "react";
import type { GGCallOptions } from "../api/methodTypes.js";
import type { AnyClient, AnyOutcome } from "./anyClient.js";
import { useLatest } from "./pushHooks.js";
import type { UseCallOptions } from "./types.js";

/** What is shown of the latest call, and whose it is. */
interface Shown {
  readonly client?: AnyClient;
  readonly method?: string;
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
      setLatest((before) => ({ client, method, pending, data: shownOf(before, client, method).data }));
      const outcome = await client.outgoing[method]!(data, { signal, ...options }).asResult();
      // After unmounting, React ignores this.
      setLatest((now) => {
        if (now.pending !== pending) return now;
        return outcome.success
          ? { client, method, data: outcome.data }
          : { client, method, data: now.data, error: outcome };
      });
      return outcome;
    },
    [client, method],
  );
  const { pending, data, error } = shownOf(latest, client, method);
  return { call, pending: !!pending, data, error };
}

/** Nothing, where it is of an earlier client or method. */
function shownOf(shown: Shown, client: AnyClient, method: string): Shown {
  return shown.client === client && shown.method === method ? shown : NOTHING;
}
