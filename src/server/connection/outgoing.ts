import { type MethodTable, memoizeByKey } from "../../connection/methods/methodTable.js";
import { type Caller, type OutgoingMethods, outgoingFunction } from "../../connection/methods/outgoing.js";

type OutgoingClass = new (caller: Caller) => OutgoingMethods;

/**
 * Holds the caller of an outgoing half. A property, so that a `Proxy` of the half, or an object that inherits from it,
 * has it too.
 */
const CALLER = Symbol("caller");

interface CallerOwner {
  readonly [CALLER]?: Caller;
}

/** What makes the calls of an `outgoing`; `undefined` when it is none. */
export function callerOf(value: object): Caller | undefined {
  return (value as CallerOwner)[CALLER];
}

/**
 * The class of the outgoing halves of all connections of a table. A method becomes a function of its own on the object
 * when it is first used: a thousand connections of an API with fifty methods must not hold fifty thousand functions.
 */
export const outgoingClass = memoizeByKey((table: MethodTable): OutgoingClass => {
  class Outgoing implements CallerOwner {
    declare readonly [CALLER]: Caller;

    constructor(caller: Caller) {
      Object.defineProperty(this, CALLER, { value: caller });
    }
  }
  for (const method of table.values()) {
    const property = { configurable: true, enumerable: true };
    Object.defineProperty(Outgoing.prototype, method.name, {
      ...property,
      get(this: Outgoing) {
        const value = outgoingFunction(this[CALLER], method);
        Object.defineProperty(this, method.name, { ...property, writable: true, value });
        return value;
      },
      set(this: Outgoing, value: unknown) {
        Object.defineProperty(this, method.name, { ...property, writable: true, value });
      },
    });
  }
  return Outgoing as unknown as OutgoingClass;
});
