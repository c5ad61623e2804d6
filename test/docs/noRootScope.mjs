import { GGLocator, GGLocatorKey } from "@grest-ts/locator";

/**
 * Gives a program of a page what it has with the published framework: outside of any scope its keys throw, whatever is
 * asked of them. The stand-ins of this repository have a scope there.
 */
for (const member of ["get", "tryGet", "has", "set", "overwrite"]) {
  const original = GGLocatorKey.prototype[member];
  GGLocatorKey.prototype[member] = function (...args) {
    GGLocator.getScope();
    return original.apply(this, args);
  };
}
