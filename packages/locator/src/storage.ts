import type { GGLocatorScope } from "./GGLocatorScope.js";

/** Tracks the scope of the running code. An `AsyncLocalStorage` implements it. */
export interface ScopeStorage {
  getStore(): GGLocatorScope | undefined;
  run<R>(scope: GGLocatorScope, fn: () => R): R;
  enterWith(scope: GGLocatorScope): void;
}

/** Without async tracking (browsers): the scope applies to the synchronous part of `fn` only. */
class SyncScopeStorage implements ScopeStorage {
  #current: GGLocatorScope | undefined;

  getStore(): GGLocatorScope | undefined {
    return this.#current;
  }

  run<R>(scope: GGLocatorScope, fn: () => R): R {
    const before = this.#current;
    this.#current = scope;
    try {
      return fn();
    } finally {
      this.#current = before;
    }
  }

  enterWith(scope: GGLocatorScope): void {
    this.#current = scope;
  }
}

let storage: ScopeStorage = new SyncScopeStorage();

/** Called once by the Node entry, before any scope exists. */
export function initScopeStorage(next: ScopeStorage): void {
  storage = next;
}

export function activeScope(): GGLocatorScope | undefined {
  return storage.getStore();
}

export function runInScope<R>(scope: GGLocatorScope, fn: () => R): R {
  return storage.run(scope, fn);
}

export function enterScope(scope: GGLocatorScope): void {
  storage.enterWith(scope);
}
