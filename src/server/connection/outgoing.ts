import { type MethodTable, memoizeByKey } from "../../connection/methods/methodTable.js";
import { type Caller, type OutgoingMethods, outgoingFunction } from "../../connection/methods/outgoing.js";

type OutgoingClass = new (caller: Caller) => OutgoingMethods;

/** What makes the calls of an outgoing half; hidden from programs. */
class CallerOwner {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  static callerOf(value: object): Caller | undefined {
    return #caller in value ? value.#caller : undefined;
  }
}

/** Who makes the calls of an `outgoing`; `undefined` when it is none. */
export const callerOf = CallerOwner.callerOf;

/**
 * The class of the outgoing halves of all connections of a table. A method becomes a function of its own on the object
 * when it is first used: a thousand connections of an API with fifty methods must not hold fifty thousand functions.
 */
export const outgoingClass = memoizeByKey((table: MethodTable): OutgoingClass => {
  class Outgoing extends CallerOwner {}
  for (const method of table.values()) {
    const property = { configurable: true, enumerable: true };
    Object.defineProperty(Outgoing.prototype, method.name, {
      ...property,
      get(this: Outgoing) {
        const value = outgoingFunction(callerOf(this) as Caller, method);
        Object.defineProperty(this, method.name, { ...property, writable: true, value });
        return value;
      },
    });
  }
  return Outgoing as unknown as OutgoingClass;
});
