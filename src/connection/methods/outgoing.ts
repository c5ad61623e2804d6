import { GGPromise } from "@grest-ts/schema";
import type { GGCallOptions } from "../../api/methodTypes.js";
import type { CompiledMethod } from "./compiledMethod.js";
import type { MethodTable } from "./methodTable.js";
import type { AnyError, Outcome } from "./outcome.js";

/** What makes calls: those of a connection, or a client's, across its connections. */
export interface Caller {
  call(method: CompiledMethod, data: unknown, options?: GGCallOptions): Promise<Outcome>;
}

/** A contract method as its caller has it. */
export type OutgoingFunction = (data?: unknown, options?: GGCallOptions) => GGPromise<unknown, AnyError>;

/** One function per contract method. */
export type OutgoingMethods = Record<string, OutgoingFunction>;

/** The function that calls a method. It needs no `this`: programs pass `outgoing.newMessage` around. */
export function outgoingFunction(caller: Caller, method: CompiledMethod): OutgoingFunction {
  return (data, options) => new GGPromise(caller.call(method, data, options) as never);
}

/** The functions that call the methods of a table, all made at once. */
export function outgoingMethods(table: MethodTable, caller: Caller): OutgoingMethods {
  return Object.fromEntries(Array.from(table.values(), (method) => [method.name, outgoingFunction(caller, method)]));
}
