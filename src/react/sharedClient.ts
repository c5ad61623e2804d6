import type { AnyClient } from "./anyClient.js";
import { makeTopic, type Topic } from "./topic.js";
import type { ConnectionInfo } from "./types.js";

/** What all components share that use a client, in any tree and by any `createHooks()`. */
export interface SharedClient {
  /** Returns what takes the callback back, which runs when `connection()` has changed. */
  watch(callback: () => void): () => void;
  /** Where the connection is; the same object until that changes. */
  connection(): ConnectionInfo;
  /**
   * Connects for one provider, which has seen whether the client was off when it rendered: effects of its children come before its
   * own, and may connect. Returns what ends that: when it has ended for all, the client disconnects, if they found it off.
   */
  hold(wasOff: boolean): () => void;
  /** The same object for a method each time. */
  topic(method: string): Topic;
}

/** Before the first `connect()`, and on a server. */
export const IDLE: ConnectionInfo = { state: "idle", since: 0, attempt: 0 };

const known = new WeakMap<AnyClient, SharedClient>();

/** Whether a client neither has a connection nor makes one. */
export function isOff({ state }: AnyClient): boolean {
  return state === "idle" || state === "closed";
}

/** What is shared of this client. */
export function sharedClient(client: AnyClient): SharedClient {
  const shared = known.get(client) ?? share(client);
  known.set(client, shared);
  return shared;
}

function share(client: AnyClient): SharedClient {
  const { state } = client;
  const watchers = new Set<() => void>();
  const topics = new Map<string, Topic>();
  let connection: ConnectionInfo = state === "idle" ? IDLE : { state, since: Date.now(), attempt: 0 };
  let holders = 0;
  /** Whether a provider found it off, and so the last one disconnects it. */
  let isOurs = false;
  let disconnecting: ReturnType<typeof setTimeout>;

  // For good: it lives as long as the client.
  client.onState((state, detail) => {
    connection = { ...detail, state, since: state === connection.state ? connection.since : Date.now() };
    for (const changed of [...watchers]) changed();
  });

  return {
    watch(callback) {
      watchers.add(callback);
      return () => void watchers.delete(callback);
    },
    connection: () => connection,
    hold(wasOff) {
      clearTimeout(disconnecting);
      holders++;
      if (wasOff || isOff(client)) isOurs = true;
      // What it rejects with is in the state.
      client.connect().catch(() => {});
      return () => {
        if (--holders || !isOurs) return;
        // StrictMode and hot reload mount again within this task.
        disconnecting = setTimeout(() => {
          isOurs = false;
          client.disconnect();
        });
      };
    },
    topic(method) {
      const topic = topics.get(method) ?? makeTopic(client, method);
      topics.set(method, topic);
      return topic;
    },
  };
}
