import type { GGSocketMethodMap } from "../contract/socketContract.js";
import { type CompiledMethod, compileMethod } from "./compiledMethod.js";
import type { ErrorClasses } from "./outcome.js";

/** The methods of one direction of one API. Paths come from the peer, so they are looked up in a `Map`. */
export class MethodTable {
  readonly methods: readonly CompiledMethod[];
  readonly #byPath: ReadonlyMap<string, CompiledMethod>;

  constructor(apiName: string, methods: GGSocketMethodMap) {
    this.methods = Object.entries(methods).map(([name, method]) => compileMethod(apiName, name, method));
    this.#byPath = new Map(this.methods.map((method) => [method.path, method]));
  }

  /** The method of a path such as `ChatApi.sendMessage`. */
  get(path: string): CompiledMethod | undefined {
    return this.#byPath.get(path);
  }
}

/** The table of a socket without a contract. */
export const EMPTY_TABLE = /* @__PURE__ */ new MethodTable("", {});

/** Both directions of a schema, compiled. */
export interface SchemaTables {
  /** All errors that the contract declares anywhere. */
  readonly errors: ErrorClasses;
  readonly clientToServer: MethodTable;
  readonly serverToClient: MethodTable;
}

interface NamedMethods {
  readonly name: string;
  readonly methods: { readonly clientToServer: GGSocketMethodMap; readonly serverToClient: GGSocketMethodMap };
}

const compiled = new WeakMap<NamedMethods, SchemaTables>();

/** The tables of a schema: compiled once, however often it is served or connected to. */
export function tablesOf(schema: NamedMethods): SchemaTables {
  let tables = compiled.get(schema);
  if (!tables) {
    const { clientToServer, serverToClient } = schema.methods;
    const methods = [...Object.values(clientToServer), ...Object.values(serverToClient)];
    tables = {
      clientToServer: new MethodTable(schema.name, clientToServer),
      serverToClient: new MethodTable(schema.name, serverToClient),
      errors: methods.flatMap((method) => method.errors ?? []),
    };
    compiled.set(schema, tables);
  }
  return tables;
}
