import { GG_ANY_PERMISSION, GG_NO_PERMISSIONS, type GGPermission } from "@grest-ts/schema";

const MAX_PERMISSION_DEPTH = 3;

/**
 * Checks a permission as a contract may declare it: `GG_NO_PERMISSIONS`, `GG_ANY_PERMISSION`, a scope,
 * `{allOf: [...]}` or `{anyOf: [...]}`, nested at most three deep and nowhere empty.
 *
 * @throws Error beginning with `where`
 */
export function validatePermission(permission: unknown, where: string): asserts permission is GGPermission {
  if (isPermission(permission, 1)) return;
  throw new Error(
    `${where}: a permission is a scope, GG_ANY_PERMISSION, GG_NO_PERMISSIONS, {allOf} or {anyOf}, ${MAX_PERMISSION_DEPTH} deep at most`,
  );
}

function isPermission(permission: unknown, depth: number): boolean {
  if (permission === GG_NO_PERMISSIONS || permission === GG_ANY_PERMISSION) return true;
  if (typeof permission === "string") return permission.trim() !== "";
  const [[kind, members] = [], ...more] = Object.entries(Object(permission));
  if ((kind !== "allOf" && kind !== "anyOf") || more.length > 0 || depth > MAX_PERMISSION_DEPTH) return false;
  return Array.isArray(members) && members.length > 0 && members.every((member) => isPermission(member, depth + 1));
}

/** Whether any client may call it, with or without an identity. */
export function isPublic(permission: GGPermission | undefined): boolean {
  return permission === undefined || permission === GG_NO_PERMISSIONS;
}
