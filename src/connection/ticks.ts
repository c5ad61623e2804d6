const { nextTick } = globalThis.process ?? {};

/** Runs `callback` at the end of the current tick. In Node that is when the pending promise jobs are done. */
export const atEndOfTick: (callback: () => void) => void = nextTick ?? queueMicrotask;

/** Runs `callback` when all promise jobs are done, those that they add included. */
export function afterPromiseJobs(callback: () => void): void {
  // A tick that a promise job adds runs when no job is left.
  if (nextTick) return queueMicrotask(() => nextTick(callback));
  // Pages throttle timers, but not messages. React Native and edge runtimes have no channels.
  if (!globalThis.MessageChannel) return void setTimeout(callback);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = callback;
  port2.postMessage(0);
}
