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
  const handler: AnyHandler = (data) =>
    Promise.all([...listeners].map(async (listener) => listeners.has(listener) && listener(data)));
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
