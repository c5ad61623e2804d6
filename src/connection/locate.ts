import { GG_METRICS } from "@grest-ts/metrics";

interface LocatorKey<T> {
  has(): boolean;
  get(): T;
}

/** Whether a key of the framework's locator has a service here. Outside of any scope there is none, whatever the key does. */
export function hasService(key: Pick<LocatorKey<unknown>, "has">): boolean {
  try {
    return key.has();
  } catch {
    return false;
  }
}

/**
 * The service of this name in the framework's locator, in the scope of the running code; `undefined` when there is
 * none. For services whose packages are not imported here: keys of one name are one service.
 */
export function locate<T>(name: string): T | undefined {
  const Key = GG_METRICS.constructor as new (name: string) => LocatorKey<T>;
  try {
    const key = new Key(name);
    return key.has() ? key.get() : undefined;
  } catch {
    return undefined; // There is no scope.
  }
}
