import type { GGContext } from "./GGContext.js";

/** Remembers which context the running code belongs to. An `AsyncLocalStorage` fits as it is. */
export interface ContextStorage {
  getStore(): GGContext | undefined;
  run<R>(context: GGContext, fn: () => R): R;
}

/** Where there is no async tracking (browsers): the context holds for the synchronous part of `fn` only. */
class SyncContextStorage implements ContextStorage {
  #current: GGContext | undefined;

  getStore(): GGContext | undefined {
    return this.#current;
  }

  run<R>(context: GGContext, fn: () => R): R {
    const before = this.#current;
    this.#current = context;
    try {
      return fn();
    } finally {
      this.#current = before;
    }
  }
}

let storage: ContextStorage = new SyncContextStorage();

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
