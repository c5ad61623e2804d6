import { GGPromise } from "@grest-ts/schema";
import type { GGCallOptions } from "../contract/methodTypes.js";
import type { CompiledMethod } from "./compiledMethod.js";
import type { MethodTable } from "./methodTable.js";
import type { AnyError, Outcome } from "./outcome.js";

/** Whoever can make a call: a socket, or a client that has one now and then. */
export interface Caller {
  call(method: CompiledMethod, data: unknown, options?: GGCallOptions): Promise<Outcome>;
}

/** One function per contract method, in the contract's types. */
export type OutgoingMethods = Record<string, (data?: unknown, options?: GGCallOptions) => GGPromise<unknown, AnyError>>;

type OutgoingClass = new (caller: Caller) => OutgoingMethods;

const classes = new WeakMap<MethodTable, OutgoingClass>();

/**
 * The outgoing half of a connection. All connections of a table share one class; a method becomes a function of its own
 * on the object when it is first used, since programs pass `outgoing.newMessage` around.
 */
export function outgoingOf(table: MethodTable, caller: Caller): OutgoingMethods {
  let Outgoing = classes.get(table);
  if (!Outgoing) {
    Outgoing = compileClass(table);
    classes.set(table, Outgoing);
  }
  return new Outgoing(caller);
}

function compileClass(table: MethodTable): OutgoingClass {
  class Outgoing {
    readonly #caller: Caller;
    constructor(caller: Caller) {
      this.#caller = caller;
    }
    /** @internal */
    static bind(outgoing: Outgoing, method: CompiledMethod): OutgoingMethods[string] {
      const caller = outgoing.#caller;
      return (data, options) => new GGPromise(caller.call(method, data, options) as never);
    }
  }
  for (const method of table.methods) {
    Object.defineProperty(Outgoing.prototype, method.name, {
      configurable: true,
      enumerable: true,
      get(this: Outgoing) {
        const value = Outgoing.bind(this, method);
        Object.defineProperty(this, method.name, { configurable: true, enumerable: true, writable: true, value });
        return value;
      },
    });
  }
  return Outgoing as unknown as OutgoingClass;
}
