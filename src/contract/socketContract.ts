import type { GGContractMethod } from "@grest-ts/schema";
import { validatePermission } from "./permission.js";

/** The methods of one direction, by name. */
export type GGSocketMethodMap = Readonly<Record<string, GGContractMethod>>;

/** Both directions of a socket contract. */
export interface GGSocketContractMethods {
  /** What the client may call on the server. */
  readonly clientToServer: GGSocketMethodMap;
  /** What the server may push to, or ask of, the client. */
  readonly serverToClient: GGSocketMethodMap;
}

/** A named, frozen contract, made by {@link defineSocketContract}. */
export interface GGSocketContract<TMethods extends GGSocketContractMethods = GGSocketContractMethods> {
  /** The API's name: the part before the dot in every path on the wire. */
  readonly name: string;
  /** The methods as they were given, with their inferred types. */
  readonly methods: TMethods;
}

// Names become `Api.method` between colons, one frame a line when frames are joined (PROTOCOL.md, "Frames").
const FORBIDDEN_IN_NAME = /[\s:]/;

/**
 * Defines what both ends of a socket may say to each other. All types are inferred; the result is frozen.
 *
 * @param name the API's name, for example `"ChatApi"`; neither white space nor `:` may be in it
 * @param methods `clientToServer` and `serverToClient`, each a map of `{input?, success?, errors?, permission?}`
 * @throws Error naming the API and the method when a name, a method or a permission is not valid
 */
export function defineSocketContract<const TName extends string, TMethods extends GGSocketContractMethods>(
  name: TName,
  methods: TMethods,
): GGSocketContract<TMethods> {
  if (!isValidName(name)) {
    throw new Error(
      `defineSocketContract: ${describe(name)} is not a valid name: use letters without white space or ":"`,
    );
  }
  for (const direction of ["clientToServer", "serverToClient"] as const) {
    const map: unknown = methods?.[direction];
    if (!isObject(map)) throw new Error(`defineSocketContract: ${name}.${direction} must be an object of methods`);
    for (const [method, definition] of Object.entries(map)) checkMethod(name, method, definition);
    Object.freeze(map);
  }
  return Object.freeze({ name, methods: Object.freeze(methods) });
}

function checkMethod(api: string, method: string, definition: unknown): void {
  const where = `defineSocketContract: ${api}.${method}`;
  if (!isValidName(method)) throw new Error(`${where} is not a valid method name: no white space or ":" in it`);
  if (!isObject(definition)) throw new Error(`${where} must be an object such as {input, success, errors}, or {}`);
  for (const part of ["input", "success"] as const) {
    const schema = definition[part];
    if (schema !== undefined && !isSchema(schema)) throw new Error(`${where}: "${part}" must be a schema`);
  }
  if (definition.errors !== undefined && !Array.isArray(definition.errors)) {
    throw new Error(`${where}: "errors" must be a list of error classes`);
  }
  if (definition.permission !== undefined) validatePermission(definition.permission, where);
  Object.freeze(definition);
}

const isValidName = (name: unknown) => typeof name === "string" && name !== "" && !FORBIDDEN_IN_NAME.test(name);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isSchema = (value: unknown) => isObject(value) && typeof value.safeParse === "function";
const describe = (value: unknown) => (typeof value === "string" ? JSON.stringify(value) : String(value));
