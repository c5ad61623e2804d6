import { GG_ANY_PERMISSION, GG_NO_PERMISSIONS, type GGPermission } from "@grest-ts/schema";

const MAX_DEPTH = 3;

/**
 * Checks a permission as a contract may declare it: `GG_NO_PERMISSIONS`, `GG_ANY_PERMISSION`, a scope,
 * `{allOf: [...]}` or `{anyOf: [...]}`, nested at most three deep and nowhere empty.
 *
 * @throws Error beginning with `where`, saying which part is wrong
 */
export function validatePermission(permission: unknown, where: string, depth = 1): asserts permission is GGPermission {
  if (permission === GG_NO_PERMISSIONS || permission === GG_ANY_PERMISSION) return;
  if (typeof permission === "string") {
    if (permission.trim() === "") throw new Error(`${where}: a permission must not be an empty string`);
    return;
  }
  const group = groupOf(permission);
  if (!group) {
    throw new Error(
      `${where}: a permission is a scope string, GG_NO_PERMISSIONS, GG_ANY_PERMISSION, {allOf} or {anyOf}`,
    );
  }
  if (depth > MAX_DEPTH) throw new Error(`${where}: permissions nest at most ${MAX_DEPTH} deep`);
  if (group.length === 0) throw new Error(`${where}: allOf and anyOf need at least one permission`);
  for (const member of group) validatePermission(member, where, depth + 1);
}

function groupOf(permission: unknown): readonly unknown[] | undefined {
  if (typeof permission !== "object" || permission === null) return undefined;
  const keys = Object.keys(permission);
  if (keys.length !== 1 || (keys[0] !== "allOf" && keys[0] !== "anyOf")) return undefined;
  const members = (permission as Record<string, unknown>)[keys[0]];
  return Array.isArray(members) ? members : undefined;
}

/** Whether everybody may call it, with or without an identity. */
export function isPublic(permission: GGPermission | undefined): boolean {
  return permission === undefined || permission === GG_NO_PERMISSIONS;
}
