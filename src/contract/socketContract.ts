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
  checkName(JSON.stringify(name), name);
  for (const direction of ["clientToServer", "serverToClient"] as const) {
    const map: unknown = methods?.[direction];
    check(isObject(map), `${name}.${direction}`, "must be an object of methods");
    for (const [method, definition] of Object.entries(map)) {
      const where = `${name}.${method}`;
      checkName(where, method);
      check(method !== "then" && (method !== "onClose" || direction === "clientToServer"), where, "is a taken name");
      checkMethod(where, definition);
    }
    Object.freeze(map);
  }
  return Object.freeze({ name, methods: Object.freeze(methods) });
}

function check(isFine: boolean, where: string, rule: string): asserts isFine {
  if (!isFine) throw new Error(`defineSocketContract: ${where} ${rule}`);
}

function checkName(where: string, name: unknown): void {
  check(typeof name === "string" && /^[^\s:]+$/.test(name), where, 'must be a name without white space and ":"');
}

function checkMethod(where: string, definition: unknown): void {
  check(isObject(definition), where, "must be an object such as {input, success, errors}, or {}");
  const { errors = [], permission } = definition;
  for (const part of ["input", "success"]) {
    const schema = definition[part];
    check(
      schema === undefined || typeof Object(schema).safeParse === "function",
      where,
      `: "${part}" must be a schema`,
    );
  }
  const areErrors = Array.isArray(errors) && errors.every((error) => typeof Object(error).TYPE === "string");
  check(areErrors, where, ': "errors" must be a list of error classes');
  if (permission !== undefined) validatePermission(permission, `defineSocketContract: ${where}`);
  Object.freeze(definition);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
