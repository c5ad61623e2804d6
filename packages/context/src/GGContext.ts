import type { GGContextKey } from "./GGContextKey.js";
import { runInContext } from "./storage.js";

/** Values that belong to one unit of work (a request, a connection, a message), available to all code that it runs. */
export class GGContext {
  // Created on the first set: most contexts (there is one per message) never hold a value of their own.
  private values: Map<string, unknown> | undefined;

  constructor(
    readonly name: string,
    readonly parent?: GGContext,
  ) {}

  /**
   * The nearest value, own first, then the parents'; null and undefined fall through to the parent. Typed as present:
   * check `has` where it may be absent.
   */
  get<T>(key: GGContextKey<T>): T {
    return (this.values?.get(key.name) ?? this.parent?.get(key)) as T;
  }

  /** Sets a value at this level. The key's schema is not applied. */
  set<T>(key: GGContextKey<T>, value: T): this {
    this.values ??= new Map();
    this.values.set(key.name, value);
    return this;
  }

  /** Whether this level or a parent holds a value. Does not call `get`: a subclass must override both or none. */
  has<T>(key: GGContextKey<T>): boolean {
    return this.values?.has(key.name) || (this.parent?.has(key) ?? false);
  }

  /** Removes the value of this level; a parent's value becomes visible again. */
  delete<T>(key: GGContextKey<T>): void {
    this.values?.delete(key.name);
  }

  /** Drops every value of this level. */
  reset(): void {
    this.values = undefined;
  }

  /** Runs `fn`, and on Node everything it starts, inside this context. */
  run<R>(fn: () => R): R {
    return runInContext(this, fn);
  }

  /** Like the global `setTimeout`, with the callback running inside this context. */
  setTimeout(fn: () => void, ms?: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.run(fn), ms);
  }

  /** Like the global `setInterval`, with the callback running inside this context. */
  setInterval(fn: () => void, ms?: number): ReturnType<typeof setInterval> {
    return setInterval(() => this.run(fn), ms);
  }

  /** Runs `fn` inside this context as soon as the current work is done. */
  setImmediate(fn: () => void): void {
    // Browsers have no setImmediate.
    (globalThis.setImmediate ?? setTimeout)(() => this.run(fn));
  }
}
