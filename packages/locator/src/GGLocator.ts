import type { GGLocatorScope } from "./GGLocatorScope.js";
import { currentScope } from "./rootScope.js";
import { activeScope } from "./storage.js";

/** Access to the scope of the running code. */
export const GGLocator = {
  /** Whether the code runs inside a scope. */
  hasScope(): boolean {
    return activeScope() !== undefined;
  },

  /** The current scope; throws outside any. */
  getScope(): GGLocatorScope {
    const scope = activeScope();
    if (scope === undefined) {
      throw new Error("No locator scope is active: run this code inside `new GGLocatorScope(name).run(...)`.");
    }
    return scope;
  },

  /** The current scope, or undefined outside any. */
  tryGetScope(): GGLocatorScope | undefined {
    return activeScope();
  },

  /** Returns `fn` wrapped so that it always runs inside the scope that is current now. Throws outside any. */
  wrapWithRun<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
    return GGLocator.getScope().wrapWithRun(fn);
  },

  /** Like `wrapWithRun`, but the code after the call stays in the scope too. Throws outside any scope. */
  wrapWithEnter<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
    return GGLocator.getScope().wrapWithEnter(fn);
  },

  /** @internal The current scope or, outside any, the process-wide one that keys fall back to. */
  getScopeOrRoot(): GGLocatorScope {
    return currentScope();
  },
};
