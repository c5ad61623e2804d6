import { GGPromise } from "@grest-ts/schema";
import type { GGCallOptions } from "../contract/methodTypes.js";
import type { CompiledMethod } from "./compiledMethod.js";
import type { MethodTable } from "./methodTable.js";
import { oncePer } from "./oncePer.js";
import type { AnyError, Outcome } from "./outcome.js";

/** Whoever can make a call: a connection's calls, or a client that has these now and then. */
export interface Caller {
  call(method: CompiledMethod, data: unknown, options?: GGCallOptions): Promise<Outcome>;
}

/** One function per contract method, in the contract's types. */
export type OutgoingMethods = Record<string, (data?: unknown, options?: GGCallOptions) => GGPromise<unknown, AnyError>>;

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
 * when it is first used, since programs pass `outgoing.newMessage` around.
 */
export const outgoingClass = /* @__PURE__ */ oncePer((table: MethodTable): OutgoingClass => {
  class Outgoing extends CallerOwner {}
  for (const method of table.values()) {
    const property = { configurable: true, enumerable: true };
    Object.defineProperty(Outgoing.prototype, method.name, {
      ...property,
      get(this: Outgoing) {
        const caller = callerOf(this) as Caller;
        const value: OutgoingMethods[string] = (data, options) =>
          new GGPromise(caller.call(method, data, options) as never);
        Object.defineProperty(this, method.name, { ...property, writable: true, value });
        return value;
      },
    });
  }
  return Outgoing as unknown as OutgoingClass;
});
