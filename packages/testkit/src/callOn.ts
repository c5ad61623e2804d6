import { GGContext } from "@grest-ts/context";

/** The name of the method that makes a target testable. */
export const CALL_ON_FACTORY: unique symbol = Symbol.for("gg:callOnFactory") as never;

/** A target that can be tested. */
export interface GGCallOnFactory {
  [CALL_ON_FACTORY](context?: GGContext): unknown;
}

/** Tests a target with the factory of its own package. */
export function callOn<T extends GGCallOnFactory>(
  target: T,
  context?: GGContext,
): ReturnType<T[typeof CALL_ON_FACTORY]> {
  if (typeof Object(target)[CALL_ON_FACTORY] !== "function") throw new Error("callOn: this value cannot be tested");
  return target[CALL_ON_FACTORY](context ?? new GGContext("Test")) as ReturnType<T[typeof CALL_ON_FACTORY]>;
}
