import { afterEach, beforeEach, expect } from "vitest";

/** Fails a test with an uncaught error or a modified prototype. */
export function watchTheProcess(): void {
  const uncaught: unknown[] = [];
  const note = (error: unknown) => void uncaught.push(error);
  const prototypes = [Object.prototype, Array.prototype, Function.prototype, String.prototype, Map.prototype];
  let before: string[][] = [];
  beforeEach(() => {
    uncaught.length = 0;
    before = prototypes.map((prototype) => Reflect.ownKeys(prototype).map(String));
    process.on("uncaughtException", note).on("unhandledRejection", note);
  });
  afterEach(() => {
    process.off("uncaughtException", note).off("unhandledRejection", note);
    // Counted and not shown: what was thrown may be unreadable.
    expect(uncaught.length, "uncaught errors").toBe(0);
    expect(prototypes.map((prototype) => Reflect.ownKeys(prototype).map(String))).toEqual(before);
    expect({}).not.toHaveProperty("polluted");
  });
}
