import type { Connection } from "../../connection/connection.js";
import { type MethodTable, memoizeByKey } from "../../connection/methods/methodTable.js";
import { outgoingFunction } from "../../connection/methods/outgoing.js";
import { LazyMethods } from "../lazyMethods.js";

/**
 * Gives the connection of an outgoing half. A property, so that a `Proxy` of the half, or an object that inherits from it,
 * has it too; a function, since a deep `Proxy`, such as Vue's, wraps objects.
 */
const CONNECTION = Symbol("connection");

/** The connection of an outgoing half; `undefined` when it is none. */
export function connectionBehind(outgoing: object): Connection | undefined {
  return (outgoing as { readonly [CONNECTION]?: () => Connection })[CONNECTION]?.();
}

/** The methods of a table, for all halves: a connection must not hold what it shares with others. */
const methodsOf = memoizeByKey(
  (table: MethodTable) =>
    new LazyMethods(table, (method, half) => outgoingFunction((connectionBehind(half) as Connection).calls, method)),
);

/** The outgoing half of a connection: the methods of a table, and `onClose`. */
export function outgoingOf(table: MethodTable, connection: Connection): object {
  const half = {};
  Object.defineProperty(half, CONNECTION, { value: () => connection });
  const onClose = (callback: () => void) => connection.onClose(() => callback());
  Object.defineProperty(half, "onClose", { configurable: true, writable: true, value: onClose });
  return methodsOf(table).addTo(half);
}
