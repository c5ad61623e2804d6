import type { GGSocketMethodMap } from "../../api/contract.js";
import { type CompiledMethod, compileMethod } from "./compiledMethod.js";
import type { ErrorClasses } from "./outcome.js";

/** The methods of one direction of one API by path, such as `ChatApi.sendMessage`: paths come from the peer. */
export type MethodTable = ReadonlyMap<string, CompiledMethod>;

/** Both directions of a schema, compiled. */
export interface SchemaTables {
  readonly clientToServer: MethodTable;
  readonly serverToClient: MethodTable;
  /** All errors that the contract declares anywhere. */
  readonly errors: ErrorClasses;
}

interface NamedMethods {
  readonly name: string;
  readonly methods: { readonly clientToServer: GGSocketMethodMap; readonly serverToClient: GGSocketMethodMap };
}

/** The tables of a schema: compiled once, however often it is served or connected to. */
export const tablesOf = /* @__PURE__ */ memoizeByKey(({ name, methods }: NamedMethods): SchemaTables => {
  const clientToServer = compileTable(name, methods.clientToServer);
  const serverToClient = compileTable(name, methods.serverToClient);
  return {
    clientToServer,
    serverToClient,
    errors: [...clientToServer.values(), ...serverToClient.values()].flatMap(({ errors }) => errors!),
  };
});

function compileTable(apiName: string, methods: GGSocketMethodMap): MethodTable {
  return new Map(
    Object.entries(methods).map(([name, method]) => {
      const path = `${apiName}.${name}`;
      return [path, compileMethod(path, name, method)];
    }),
  );
}

/** A function that makes one value for each key, and keeps it for as long as the key lives. */
export function memoizeByKey<TKey extends object, T>(make: (key: TKey) => T): (key: TKey) => T {
  const made = new WeakMap<TKey, T>();
  return (key) => {
    let value = made.get(key);
    if (!value) {
      value = make(key);
      made.set(key, value);
    }
    return value;
  };
}
