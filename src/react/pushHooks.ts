import { useEffect, useInsertionEffect, useReducer, useRef } from "react";
import type { AnyClient, AnyHandler } from "./anyClient.js";
import { sharedClient } from "./sharedClient.js";
import type { Topic } from "./topic.js";

/** `usePush` of a client. */
export function usePushOf(client: AnyClient, method: string, handler: AnyHandler): void {
  const topic = sharedClient(client).topic(method);
  const latest = useLatest(handler);
  useEffect(() => topic.listen((data) => latest.current(data)), [topic, latest]);
}

/** `useAnswer` of a client. */
export function useAnswerOf(client: AnyClient, method: string, handler: AnyHandler): void {
  const latest = useLatest(handler);
  useEffect(() => client.incoming.on({ [method]: (data) => latest.current(data) }), [client, method, latest]);
}

/** The state of `usePushState`, and the push that it was made of. */
interface Held {
  readonly of: Topic;
  readonly state: unknown;
}

/** A push. Without data: the state begins anew. */
type Step = readonly [of: Topic, data?: unknown];

/** `usePushState` of a client. */
export function usePushStateOf(
  client: AnyClient,
  method: string,
  reducer: (state: unknown, data: unknown) => unknown,
  initial: unknown,
): unknown {
  const topic = sharedClient(client).topic(method);
  const [held, dispatch] = useReducer(
    (before: Held, [of, ...pushed]: Step): Held => {
      // A push that came between a change of client or method and the effects of its render.
      if (of !== topic) return before;
      const isSame = before.of === of;
      const state = pushed.length ? reducer(isSame ? before.state : initial, pushed[0]) : initial;
      return isSame && Object.is(state, before.state) ? before : { of, state };
    },
    { of: topic, state: initial },
  );
  // What another client has sent does not belong to this one.
  if (held.of !== topic) dispatch([topic]);
  useEffect(() => topic.listen((data) => dispatch([topic, data])), [topic]);
  return held.state;
}

/** The value of the latest render that was committed. */
export function useLatest<T>(value: T): { readonly current: T } {
  const latest = useRef(value);
  // Runs before all other effects of its render, and without a warning on a server.
  useInsertionEffect(() => {
    latest.current = value;
  });
  return latest;
}
