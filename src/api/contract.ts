import type { GGContractMethod } from "@grest-ts/schema";

/** The methods of one direction, by name. */
export type GGSocketMethodMap = Readonly<Record<string, GGContractMethod>>;

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
