import type { GGPermission } from "@grest-ts/schema";
import {
  freezeContract,
  type GGSocketContract,
  type GGSocketContractMethods,
  type GGSocketMethodMap,
} from "./contract.js";
import { didYouMean, isMisspelt } from "./misspelling.js";
import { validatePermission } from "./permission.js";
import { GGWebSocketSchemaBuilder } from "./schema.js";

// Definitions are checked where they are made, except in a page in production: it gets the same definitions as its
// server, where they have passed these checks.

/**
 * Defines the messages that both ends of a socket may send. All types are inferred; the result is frozen.
 *
 * @param name the API's name, for example `"ChatApi"`; neither white space nor `:` may be in it
 * @param methods `clientToServer` and `serverToClient`, each a map of `{input?, success?, errors?, permission?}`
 * @throws Error naming the API and the method when a name, a method or a permission is not valid; not in browsers in
 *   production, which have no such checks
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
  }
  return freezeContract(name, methods);
}

/** A builder that throws at the first invalid step. */
export class CheckedSchemaBuilder<
  C2S extends GGSocketMethodMap,
  S2C extends GGSocketMethodMap,
> extends GGWebSocketSchemaBuilder<C2S, S2C> {
  override path(path: string): this {
    checkPath(this.draft.name, path);
    return super.path(path);
  }

  override connectPermission(permission: GGPermission): this {
    validatePermission(permission, `${this.draft.name}.connectPermission`);
    return super.connectPermission(permission);
  }

  override done(): ReturnType<GGWebSocketSchemaBuilder<C2S, S2C>["done"]> {
    const { name, path } = this.draft;
    if (!path) throw new Error(`${name}: no path; call .path("ws/…") before .done()`);
    const schema = super.done();
    for (const [member, value] of Object.entries(schema))
      if (typeof value !== "function") Object.defineProperty(schema, member, { writable: false });
    return schema;
  }
}

/**
 * Refuses a path that no client could ask for, since URL parsers stop at it or change it (https://url.spec.whatwg.org).
 *
 * @throws Error naming the API and the fault
 */
export function checkPath(apiName: string, path: unknown): void {
  const fault = faultOfPath(path);
  if (fault) throw new Error(`${apiName}: ${JSON.stringify(path)} is no path: it ${fault}`);
}

function faultOfPath(path: unknown): string | undefined {
  if (typeof path !== "string" || path === "") return "is empty";
  if (/[\s?#\\\p{Cc}]/u.test(path)) return 'holds white space, "?", "#", "\\" or a control character';
  if (/\p{Cs}/u.test(path)) return "is not Unicode";
  if (/(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path)) return 'has a segment "." or ".."';
  return undefined;
}

function check(isFine: boolean, where: string, rule: string): asserts isFine {
  if (!isFine) throw new Error(`defineSocketContract: ${where} ${rule}`);
}

function checkName(where: string, name: unknown): void {
  check(typeof name === "string" && /^[^\s:]+$/.test(name), where, 'must be a name without white space and ":"');
}

/** What a method may have. Other names are left alone, unless they are these ones, misspelt. */
const PARTS = ["input", "success", "errors", "permission", "docs"];

function checkMethod(where: string, definition: unknown): void {
  check(isObject(definition), where, "must be an object such as {input, success, errors}, or {}");
  for (const part of Object.keys(definition)) {
    if (!PARTS.includes(part) && isMisspelt(part, PARTS))
      throw new Error(`defineSocketContract: ${where} has an unknown part "${part}"${didYouMean(part, PARTS)}`);
  }
  const { errors = [], permission } = definition;
  for (const part of ["input", "success"]) {
    const schema = definition[part];
    const { safeParse, "~standard": standard } = Object(schema);
    const isSchema = [safeParse, Object(standard).validate].some((validate) => typeof validate === "function");
    // What valibot says of schemas that are asynchronous whatever the value; others show it when they are used.
    check(Object(schema).async !== true, where, `: "${part}" is asynchronous, which is not supported`);
    check(
      schema === undefined || isSchema,
      where,
      `: "${part}" must be a schema, of @grest-ts/schema or a library with Standard Schema (zod, valibot, arktype)`,
    );
  }
  const areErrors = Array.isArray(errors) && errors.every((error) => typeof Object(error).TYPE === "string");
  check(areErrors, where, ': "errors" must be a list of error classes');
  if (permission !== undefined) validatePermission(permission, `defineSocketContract: ${where}`);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
