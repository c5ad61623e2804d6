import { GG_ANY_PERMISSION, type GGPermission } from "@grest-ts/schema";
import { isPublic } from "../api/permission.js";
import type { GGAsyncApiPermission, GGAsyncApiSecurityScheme } from "./document.js";
import { keyOf } from "./keys.js";

/** A permission as the document shows it; `undefined` where anyone may call. */
export function describedPermission(permission: GGPermission | undefined): GGAsyncApiPermission | undefined {
  return permission === undefined || isPublic(permission) ? undefined : described(permission);
}

function described(permission: GGPermission): GGAsyncApiPermission {
  if (permission === GG_ANY_PERMISSION) return { any: true };
  if (typeof permission === "string") return permission;
  // Without conditions at all: nested in another permission.
  if (isPublic(permission)) return { allOf: [] };
  const { allOf, anyOf = [] } = permission as { allOf?: readonly GGPermission[]; anyOf?: readonly GGPermission[] };
  return allOf ? { allOf: allOf.map(described) } : { anyOf: anyOf.map(described) };
}

/** The security schemes of a document: one for each API that needs one, or the one that the program gives for all. */
export class SecuritySchemes {
  /** By key; empty where nothing needs a permission. */
  readonly schemes: Record<string, GGAsyncApiSecurityScheme> = {};
  readonly #given: GGAsyncApiSecurityScheme | undefined;

  constructor(given: GGAsyncApiSecurityScheme | undefined) {
    this.#given = given;
  }

  /** A reference to the scheme of an API whose middlewares describe these headers; `undefined` when it is not known. */
  of(apiName: string, [name]: readonly string[]): { readonly $ref: string } | undefined {
    if (!this.#given && name === undefined) return undefined;
    const key = this.#given ? "handshake" : `${keyOf(apiName)}.handshake`;
    const description = `A header of the frame \`h\` that begins a connection to ${apiName}, and not of the upgrade request.`;
    this.schemes[key] ??= this.#given ?? { type: "httpApiKey", name: String(name), in: "header", description };
    return { $ref: `#/components/securitySchemes/${key}` };
  }
}
