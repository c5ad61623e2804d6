import { currentScope } from "./rootScope.js";

/**
 * A typed name for a service. It is looked up in the scope of the running code or, outside any scope, in one that the
 * whole process shares. Keys of the same name are the same service.
 */
export class GGLocatorKey<T> {
  constructor(readonly name: string) {}

  /** The service; throws when none is registered. */
  get(): T {
    return currentScope().get(this);
  }

  /** The service, or undefined. */
  tryGet(): T | undefined {
    return currentScope().tryGet(this);
  }

  /** Whether a service is registered. */
  has(): boolean {
    return currentScope().has(this);
  }

  /** Registers the service. Inside a scope a taken key throws; outside any scope the new value replaces the old. */
  set(value: T): void {
    currentScope().set(this, value);
  }

  /** Registers the service, or replaces the registered one. */
  overwrite(value: T): void {
    currentScope().overwrite(this, value);
  }
}
