/** Everyone may call. */
export const GG_NO_PERMISSIONS: { readonly __permission: "none" } = /* @__PURE__ */ Object.freeze({
  __permission: "none",
});

/** Everyone who holds at least one scope may call. */
export const GG_ANY_PERMISSION: { readonly __permission: "any" } = /* @__PURE__ */ Object.freeze({
  __permission: "any",
});

/** What a caller needs: nothing, any scope, one scope, all of several, or one of several. */
export type GGPermission =
  | typeof GG_NO_PERMISSIONS
  | typeof GG_ANY_PERMISSION
  | string
  | { readonly allOf: readonly [GGPermission, ...GGPermission[]] }
  | { readonly anyOf: readonly [GGPermission, ...GGPermission[]] };

/** Whether `scopes` satisfy `required`. A value that is not a permission is never satisfied. */
export function satisfies(required: GGPermission, scopes: ReadonlySet<string>): boolean {
  if (typeof required === "string") return scopes.has(required);
  if (typeof required !== "object" || required === null) return false;
  // By identity: an object that only resembles a constant grants no rights.
  if (required === GG_NO_PERMISSIONS) return true;
  if (required === GG_ANY_PERMISSION) return scopes.size > 0;
  const { allOf, anyOf } = required as { readonly allOf?: GGPermission[]; readonly anyOf?: GGPermission[] };
  const every = allOf !== undefined;
  const parts = every ? allOf : anyOf;
  if (!Array.isArray(parts) || parts.length === 0) return false;
  return every ? parts.every((part) => satisfies(part, scopes)) : parts.some((part) => satisfies(part, scopes));
}

/** The scopes of a caller. */
export class GGPermissionChecker {
  readonly scopes: ReadonlySet<string>;

  constructor(scopes: ReadonlySet<string>) {
    this.scopes = scopes;
    Object.freeze(this);
  }

  /** Whether the caller has what `permission` requires. */
  has(permission: GGPermission): boolean {
    return satisfies(permission, this.scopes);
  }
}

/** A permission as text, for error messages. */
export function describePermission(permission: GGPermission): string {
  if (typeof permission === "string") return permission;
  if ("__permission" in permission) return permission.__permission;
  return "allOf" in permission
    ? `allOf(${permission.allOf.map(describePermission).join(", ")})`
    : `anyOf(${permission.anyOf.map(describePermission).join(", ")})`;
}
