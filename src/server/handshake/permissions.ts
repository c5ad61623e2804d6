import { GG_PERMISSIONS, type GGScopeResolver } from "@grest-ts/http";
import { FORBIDDEN, type GGPermission, GGPermissionChecker, NOT_AUTHORIZED, satisfies } from "@grest-ts/schema";
import { isPublic } from "../../api/permission.js";
import { type AnyError, isThenable } from "../../connection/methods/outcome.js";

/** The scopes of a connection: `null` without an identity, `undefined` where there is no resolver. */
export type Scopes = ReadonlySet<string> | null | undefined;

/** Finds a connection's scopes, once, and shows them to handlers as `GG_PERMISSIONS`. Runs inside its context. */
export function resolveScopes(resolver: GGScopeResolver | undefined): Scopes | Promise<Scopes> {
  const scopes = resolver?.();
  return isThenable(scopes) ? Promise.resolve(scopes).then(showScopes) : showScopes(scopes);
}

function showScopes(scopes: Scopes): Scopes {
  if (scopes === undefined || scopes === null) return scopes;
  if (!isScopes(scopes)) throw new TypeError("it must return a Set of texts, or null");
  GG_PERMISSIONS.set(new GGPermissionChecker(scopes));
  return scopes;
}

/** A set of the program's own may answer `has` without listing its members. */
function isScopes(value: unknown): value is ReadonlySet<string> {
  if (value instanceof Set) return [...value].every((scope) => typeof scope === "string");
  return typeof (value as ReadonlySet<string>).has === "function";
}

/** The error for a connection or a message that its scopes do not permit; `undefined` when they do. */
export function checkPermission(
  required: GGPermission | undefined,
  scopes: Scopes,
  what: string,
): AnyError | undefined {
  if (required === undefined || isPublic(required)) return undefined;
  if (!scopes) return new NOT_AUTHORIZED({ displayMessage: `${what} requires an identity` });
  if (satisfies(required, scopes)) return undefined;
  return new FORBIDDEN({ displayMessage: `${what} is not permitted` });
}
