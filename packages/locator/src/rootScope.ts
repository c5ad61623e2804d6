import type { GGLocatorKey } from "./GGLocatorKey.js";
import { GGLocatorScope } from "./GGLocatorScope.js";
import { activeScope } from "./storage.js";

/**
 * The one scope that is kinder than the framework's, on purpose: outside of any scope, where the framework has no
 * service at all, keys find what the process shares. The framework opens its scopes in a runtime's compose phase; there
 * is no runtime among these packages, and a plain program, the README's first example among them, has no such phase.
 * The owner is the process, and a later `set` wins.
 */
class RootScope extends GGLocatorScope {
  override set<T>(key: GGLocatorKey<T>, value: T): void {
    this.overwrite(key, value);
  }
}

const rootScope: GGLocatorScope = new RootScope("root");
rootScope.setLifecycleOwner(globalThis);

export function currentScope(): GGLocatorScope {
  return activeScope() ?? rootScope;
}
