import type { GGLocatorKey } from "@grest-ts/locator";
import { expectTypeOf, it } from "vitest";
import { GGLog, type GGScopeLog } from "../src/index.js";

it("is a locator key of a log", () => {
  expectTypeOf(GGLog).toExtend<GGLocatorKey<GGScopeLog>>();
});

it("takes a context and a message or an error, and any data", () => {
  GGLog.warn({}, new Error("x"), 1, { two: 2 });
  // @ts-expect-error no message
  GGLog.warn("Shop");
  // @ts-expect-error a number is no context
  GGLog.warn(5, "message");
  // @ts-expect-error an object is no message
  GGLog.warn("Shop", { message: "x" });
});

it("takes a logger with a level", () => {
  // @ts-expect-error no level
  GGLog.add({ log: () => undefined });
});
