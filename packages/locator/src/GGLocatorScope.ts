import type { GGLocatorKey } from "./GGLocatorKey.js";
import type { GGLocatorServiceType } from "./GGLocatorServiceType.js";
import { activeScope, enterScope, runInScope } from "./storage.js";

/** How the owner of a scope starts and stops a service. */
export interface GGLocatorLifecycle {
  /** Where the service stands in the order of starts. */
  readonly type: GGLocatorServiceType;
  /** Makes the service ready for use. */
  start(): void | Promise<void>;
  /** Ends the service. */
  teardown?(): void | Promise<void>;
}

/** A named set of services. A child starts with a copy of what its parent holds at that moment, its owner included. */
export class GGLocatorScope {
  private readonly values: Map<string, unknown>;
  private lifecycleOwner: object | undefined;

  constructor(
    readonly name: string,
    readonly parent?: GGLocatorScope,
    readonly serviceName: string = parent?.serviceName ?? "Unknown",
  ) {
    this.values = new Map(parent?.values);
    this.lifecycleOwner = parent?.lifecycleOwner;
  }

  /** The service under `key`; throws when there is none. */
  get<T>(key: GGLocatorKey<T>): T {
    if (!this.has(key)) throw new Error(`Service "${key.name}" is not registered in locator scope "${this.name}".`);
    return this.values.get(key.name) as T;
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
    if (this.has(key)) {
      throw new Error(`Scope already has service "${key.name}" (locator scope "${this.name}").`);
    }
    this.overwrite(key, value);
  }

  /** Registers a service, or replaces the registered one. */
  overwrite<T>(key: GGLocatorKey<T>, value: T): void {
    this.values.set(key.name, value);
  }

  /** The names of all registered keys. */
  getKeys(): string[] {
    return [...this.values.keys()];
  }

  /**
   * Sets the owner that starts and stops the services of this scope and of children created later. These packages have
   * no runtime that does so: the scope only records that there is an owner, and a program calls `start` and `teardown`
   * itself.
   */
  setLifecycleOwner(owner: object): void {
    this.lifecycleOwner = owner;
  }

  /** Registers a service that the scope's owner starts and stops; throws without an owner or when the key is taken. */
  setWithLifecycle<T>(key: GGLocatorKey<T>, value: T, _lifecycle: GGLocatorLifecycle): void {
    if (this.lifecycleOwner === undefined) {
      throw new Error("No lifecycle handler - are you registering outside compose phase?");
    }
    this.set(key, value);
  }

  /** Returns `fn` wrapped so that it always runs inside this scope. */
  wrapWithRun<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
    return (...args) => this.run(() => fn(...args));
  }

  /** Like `wrapWithRun`, but the code after the call stays in this scope too. */
  wrapWithEnter<A extends unknown[], R>(fn: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      this.enter();
      return fn(...args);
    };
  }

  /** A child scope that starts with this scope's services. */
  branch(name: string): GGLocatorScope {
    return new GGLocatorScope(name, this);
  }

  /** Runs `fn`, and what it starts, inside this scope. */
  run<R>(fn: () => R): R {
    return runInScope(this, fn);
  }

  /** Makes this the scope of the following code and everything it starts. */
  enter(): void {
    enterScope(this);
  }

  /** Enters this scope unless it is the current one. */
  ensureEntered(): void {
    if (activeScope() !== this) this.enter();
  }
}
