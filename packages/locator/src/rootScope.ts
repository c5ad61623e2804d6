import type { GGLocatorKey } from "./GGLocatorKey.js";
import { GGLocatorScope } from "./GGLocatorScope.js";
import { activeScope } from "./storage.js";

/** Serves programs that never open a scope. Its owner is the whole process, so a later `set` simply wins. */
class RootScope extends GGLocatorScope {
  override set<T>(key: GGLocatorKey<T>, value: T): void {
    this.overwrite(key, value);
  }
}

const rootScope: GGLocatorScope = new RootScope("root");

export function currentScope(): GGLocatorScope {
  return activeScope() ?? rootScope;
}
