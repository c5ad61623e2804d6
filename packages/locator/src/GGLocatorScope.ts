import type { GGLocatorKey } from "./GGLocatorKey.js";
import { runInScope } from "./storage.js";

/** A named set of services. A child starts with a copy of what its parent holds at that moment. */
export class GGLocatorScope {
  private readonly values: Map<string, unknown>;

  constructor(
    readonly name: string,
    readonly parent?: GGLocatorScope,
    readonly serviceName: string = parent?.serviceName ?? "Unknown",
  ) {
    this.values = new Map(parent?.values);
  }

  /** The service under `key`; throws when there is none. */
  get<T>(key: GGLocatorKey<T>): T {
    const value = this.tryGet(key);
    if (value === undefined) {
      throw new Error(`Service "${key.name}" is not registered in locator scope "${this.name}".`);
    }
    return value;
  }

  /** The service under `key`, or undefined. */
  tryGet<T>(key: GGLocatorKey<T>): T | undefined {
    return this.values.get(key.name) as T | undefined;
  }

  /** Whether a service is registered under `key`. */
  has<T>(key: GGLocatorKey<T>): boolean {
    return this.values.has(key.name);
  }

  /** Registers a service; throws when the key is taken. */
  set<T>(key: GGLocatorKey<T>, value: T): void {
    if (this.values.has(key.name)) {
      throw new Error(`Scope already has service "${key.name}" (locator scope "${this.name}").`);
    }
    this.overwrite(key, value);
  }

  /** Registers a service, in place of the one that may be there. */
  overwrite<T>(key: GGLocatorKey<T>, value: T): void {
    // An undefined value would make has() and tryGet() disagree.
    if (value === undefined) this.values.delete(key.name);
    else this.values.set(key.name, value);
  }

  /** Takes a service out; tells whether there was one. */
  delete<T>(key: GGLocatorKey<T>): boolean {
    return this.values.delete(key.name);
  }

  /** The names of all registered keys. */
  getKeys(): string[] {
    return [...this.values.keys()];
  }

  /** Runs `fn`, and what it starts, inside this scope. */
  run<R>(fn: () => R): R {
    return runInScope(this, fn);
  }

  /** A child scope that starts with this scope's services. */
  branch(name: string): GGLocatorScope {
    return new GGLocatorScope(name, this);
  }
}
