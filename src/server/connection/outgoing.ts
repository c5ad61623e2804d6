import type { MethodTable } from "../../connection/methods/methodTable.js";
import { type Caller, type OutgoingMethods, outgoingFunction } from "../../connection/methods/outgoing.js";
import { withLazyMethods } from "../lazyMethods.js";

/**
 * Gives the caller of an outgoing half. A property, so that a `Proxy` of the half, or an object that inherits from it, has
 * it too; a function, since a deep `Proxy`, such as Vue's, wraps objects.
 */
const CALLER = Symbol("caller");

/** What makes the calls of an `outgoing`; `undefined` when it is none. */
export function callerOf(value: object): Caller | undefined {
  return (value as { readonly [CALLER]?: () => Caller })[CALLER]?.();
}

/** The outgoing half of a connection: the methods of a table, and `onClose`. */
export function outgoingOf(table: MethodTable, caller: Caller, onClose: (callback: () => void) => () => void): object {
  const half: OutgoingMethods = {};
  Object.defineProperty(half, CALLER, { value: () => caller });
  Object.defineProperty(half, "onClose", { configurable: true, writable: true, value: onClose });
  return withLazyMethods(half, table, (method) => outgoingFunction(caller, method));
}
