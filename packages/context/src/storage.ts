import type { GGContext } from "./GGContext.js";

/** Remembers which context the running code belongs to. An `AsyncLocalStorage` fits as it is. */
export interface ContextStorage {
  getStore(): GGContext | undefined;
  run<R>(context: GGContext, fn: () => R): R;
}

let current: GGContext | undefined;

// Where there is no async tracking (browsers) the context holds for the synchronous part of `fn` only.
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
