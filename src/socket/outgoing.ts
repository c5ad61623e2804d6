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

/**
 * The class of the outgoing halves of all connections of a table. A method becomes a function of its own on the object
 * when it is first used, since programs pass `outgoing.newMessage` around.
 */
export const outgoingClass = /* @__PURE__ */ oncePer((table: MethodTable): OutgoingClass => {
  class Outgoing {
    readonly #caller: Caller;
    constructor(caller: Caller) {
      this.#caller = caller;
    }
    static {
      for (const method of table.values()) {
        const property = { configurable: true, enumerable: true };
        Object.defineProperty(Outgoing.prototype, method.name, {
          ...property,
          get(this: Outgoing) {
            const caller = this.#caller;
            const value: OutgoingMethods[string] = (data, options) =>
              new GGPromise(caller.call(method, data, options) as never);
            Object.defineProperty(this, method.name, { ...property, writable: true, value });
            return value;
          },
        });
      }
    }
  }
  return Outgoing as unknown as OutgoingClass;
});
