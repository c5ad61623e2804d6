import type { GGContext } from "./GGContext.js";

/** Tracks the context of the running code. An `AsyncLocalStorage` implements it. */
export interface ContextStorage {
  getStore(): GGContext | undefined;
  run<R>(context: GGContext, fn: () => R): R;
}

let current: GGContext | undefined;

// Without async tracking (browsers), the context applies to the synchronous part of `fn` only.
let storage: ContextStorage = {
  getStore: () => current,
  run(context, fn) {
    const before = current;
    current = context;
    try {
      return fn();
    } finally {
      current = before;
    }
  },
};

/** Called once by the Node entry, before any context exists. */
export function initContextStorage(next: ContextStorage): void {
  storage = next;
}

export function activeContext(): GGContext | undefined {
  return storage.getStore();
}

export function runInContext<R>(context: GGContext, fn: () => R): R {
  return storage.run(context, fn);
}
