import type { GGLocatorKey } from "./GGLocatorKey.js";
import { GGLocatorScope } from "./GGLocatorScope.js";
import { activeScope } from "./storage.js";

/**
 * The scope outside any scope, shared by the process. The framework has none: it opens its scopes in the compose phase
 * of a runtime. These packages have no runtime, and a plain program (such as the README's first example) has no such
 * phase. The owner is the process, and a later `set` replaces an earlier one.
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
