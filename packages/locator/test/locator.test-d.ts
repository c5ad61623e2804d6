import { expectTypeOf, it } from "vitest";
import { GGLocatorKey, GGLocatorScope, GGLocatorServiceType } from "../src/index.js";

const KEY = new GGLocatorKey<string>("KEY");
const scope = new GGLocatorScope("a");

it("has no way to remove a service", () => {
  expectTypeOf<keyof GGLocatorKey<string>>().toEqualTypeOf<"name" | "get" | "tryGet" | "has" | "set" | "overwrite">();
  // @ts-expect-error there is no such member
  scope.delete;
});

it("needs to know how to start a service", () => {
  scope.setWithLifecycle(KEY, "x", { type: GGLocatorServiceType.HTTP, start: async () => undefined });
  // @ts-expect-error nothing starts it
  scope.setWithLifecycle(KEY, "x", { type: GGLocatorServiceType.HTTP });
  // @ts-expect-error no kind of service
  scope.setWithLifecycle(KEY, "x", { type: "http", start: () => undefined });
});

it("keeps the type of a function that it wraps", () => {
  const double = (value: number) => value * 2;
  expectTypeOf(scope.wrapWithRun(double)).toEqualTypeOf<(value: number) => number>();
  expectTypeOf(scope.wrapWithEnter(double)).toEqualTypeOf<(value: number) => number>();
});
