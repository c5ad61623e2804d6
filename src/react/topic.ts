import type { AnyClient, AnyHandler } from "./anyClient.js";

/** One push of one client. */
export interface Topic {
  /** Returns what takes the listener back. */
  listen(listener: AnyHandler): () => void;
}

/** One handler of the client for all listeners: a later handler of a method replaces the earlier one. */
export function makeTopic(client: AnyClient, method: string): Topic {
  const listeners = new Set<AnyHandler>();
  let takeBack: () => void;
  // A listener that fails keeps no other from hearing, and its error goes where those of any handler go.
  const handler: AnyHandler = async (data) => {
    const calls = [...listeners].map(async (listener) => listeners.has(listener) && listener(data));
    const errors = (await Promise.allSettled(calls)).flatMap((call) =>
      call.status === "rejected" ? [call.reason] : [],
    );
    if (errors.length > 1) throw new AggregateError(errors, `${errors.length} components failed`);
    if (errors.length) throw errors[0];
  };
  return {
    listen(listener) {
      if (!listeners.size) takeBack = client.incoming.on({ [method]: handler });
      listeners.add(listener);
      return () => {
        if (listeners.delete(listener) && !listeners.size) takeBack();
      };
    },
  };
}
