import type { GGContextKey } from "./GGContextKey.js";
import { runInContext } from "./storage.js";

/** Values that belong to one unit of work (a request, a connection, a message), found by whatever that work calls. */
export class GGContext {
  // Most contexts never hold a value of their own (one is made per message), so the Map waits for the first set.
  private values: Map<string, unknown> | undefined;

  constructor(
    readonly name: string,
    readonly parent?: GGContext,
  ) {}

  /** The nearest value, own first, then the parents'. A null or undefined value counts as absent. */
  get<T>(key: GGContextKey<T>): T | undefined {
    return (this.values?.get(key.name) as T | undefined) ?? this.parent?.get(key);
  }

  /** Sets a value at this level. The key's schema is not applied: the caller vouches for the value. */
  set<T>(key: GGContextKey<T>, value: T): this {
    this.values ??= new Map();
    this.values.set(key.name, value);
    return this;
  }

  /** Whether `get` would find a value. */
  has<T>(key: GGContextKey<T>): boolean {
    return this.get(key) !== undefined;
  }

  /** Removes the value of this level; a parent's value shows again. */
  delete<T>(key: GGContextKey<T>): boolean {
    return this.values?.delete(key.name) ?? false;
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
