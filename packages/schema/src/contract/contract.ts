import type { ERROR } from "../error/error.js";
import type { OK } from "../result/ok.js";
import { GGPromise } from "../result/promise.js";
import { GGContractExecutor } from "./executor.js";
import type { GGContractClient, GGContractImplementation, GGContractMethod, GGContractMethods } from "./types.js";

/** Options of `implement`. */
export interface GGImplementOptions {
  /** Passes input and output through unchecked. */
  readonly noValidation?: boolean;
  /** Disables registration with the framework's test kit. */
  readonly skipLocatorRegistration?: boolean;
}

/** A named set of methods. */
export class GGContractClass<M extends GGContractMethods> {
  readonly name: string;
  readonly methods: M;

  constructor(name: string, methods: M) {
    this.name = name;
    this.methods = Object.freeze(methods);
    for (const method of Object.values(methods)) Object.freeze(method);
    Object.freeze(this);
  }

  /** A client whose calls run `implementation`, with input and output checked. */
  implement(implementation: GGContractImplementation<M>, options?: GGImplementOptions): GGContractClient<M> {
    const handlers = implementation as Readonly<Record<string, unknown>>;
    const client: Record<string, (data?: unknown) => GGPromise<unknown, ERROR>> = {};
    for (const [name, method] of Object.entries<GGContractMethod>(this.methods)) {
      // A member inherited from Object.prototype is not a handler.
      const inherited = handlers[name] === (Object.prototype as unknown as typeof handlers)[name];
      if (typeof handlers[name] !== "function" || inherited)
        throw new Error(`Handler missing for ${this.name}.${name}`);
      client[name] = (data) =>
        new GGPromise<unknown, ERROR>(
          GGContractExecutor.call(method, data, options, (input) =>
            (handlers[name] as (this: unknown, input: unknown) => unknown).call(implementation, input),
          ) as Promise<OK | ERROR>,
        );
    }
    return Object.freeze(client) as GGContractClient<M>;
  }
}
