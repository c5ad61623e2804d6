import type { GGContractMethod, GGValidator } from "@grest-ts/schema";
import type { StandardSchemaV1 } from "./standardSchema.js";

/**
 * What a contract asks of a schema of `@grest-ts/schema` (`IsString`, `IsObject(…)`, …): a part of `GGSchema`, since comparing all of it for
 * every method takes most of the time of type-checking a large contract.
 */
export interface GGSocketMethodSchema {
  /** The type of the values. For the compiler only. */
  readonly infer: unknown;
  /** Checks and cleans a value. */
  readonly safeParse: GGValidator<unknown>["safeParse"];
}

/** One method of a socket contract. */
export interface GGSocketMethod {
  /** Checks the input; without it the method takes none. */
  readonly input?: GGSocketMethodSchema | StandardSchemaV1;
  /** Checks the result; without it the method has no reply. */
  readonly success?: GGSocketMethodSchema | StandardSchemaV1;
  /** The errors that callers may receive, besides those of the framework. */
  readonly errors?: GGContractMethod["errors"];
  /** The permission that a caller needs. */
  readonly permission?: GGContractMethod["permission"];
  /** Text for people, for documents (`@grest-ts/websocket/asyncapi`). */
  readonly docs?: GGSocketMethodDocs;
}

/** Text for people about a method. */
export interface GGSocketMethodDocs {
  /** A few words. Default in documents: the method's name. */
  readonly title?: string | undefined;
  /** What it is for; CommonMark. */
  readonly description?: string | undefined;
}

/** The methods of one direction, by name. */
export type GGSocketMethodMap = Readonly<Record<string, GGSocketMethod>>;

/** Both directions of a socket contract. */
export interface GGSocketContractMethods {
  /** What the client may call on the server. */
  readonly clientToServer: GGSocketMethodMap;
  /** What the server may push to, or ask of, the client. */
  readonly serverToClient: GGSocketMethodMap;
}

/** A named, frozen contract, made by `defineSocketContract`. */
export interface GGSocketContract<TMethods extends GGSocketContractMethods = GGSocketContractMethods> {
  /** The API's name: the part before the dot in every path on the wire. */
  readonly name: string;
  /** The methods as they were given, with their inferred types. */
  readonly methods: TMethods;
}

/** The contract of these methods, frozen at every level. */
export function freezeContract<TMethods extends GGSocketContractMethods>(
  name: string,
  methods: TMethods,
): GGSocketContract<TMethods> {
  for (const map of [methods.clientToServer, methods.serverToClient]) {
    for (const method of Object.values(Object.freeze(map))) Object.freeze(method);
  }
  return Object.freeze({ name, methods: Object.freeze(methods) });
}
