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

const MAX_DEPTH = 3;

/** Whether `scopes` are enough for `required`. What is not a permission is never satisfied. */
export function satisfies(required: GGPermission, scopes: ReadonlySet<string>): boolean {
  if (typeof required === "string") return scopes.has(required);
  if (typeof required !== "object" || required === null) return false;
  if ("__permission" in required) {
    return required.__permission === "none" || (required.__permission === "any" && scopes.size > 0);
  }
  const every = "allOf" in required;
  const parts = every ? required.allOf : required.anyOf;
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

/** A permission as text, for messages. */
export function describePermission(permission: GGPermission): string {
  if (typeof permission === "string") return permission;
  if ("__permission" in permission) return permission.__permission;
  return "allOf" in permission
    ? `allOf(${permission.allOf.map(describePermission).join(", ")})`
    : `anyOf(${permission.anyOf.map(describePermission).join(", ")})`;
}

/** Throws an Error that says what is wrong, unless `permission` is one. Lists may nest three deep. */
export function validatePermission(permission: unknown): asserts permission is GGPermission {
  check(permission, 0);
}

function check(permission: unknown, depth: number): void {
  if (typeof permission === "string") {
    if (permission.trim() === "") throw new Error("A permission scope must not be empty");
    return;
  }
  if (typeof permission !== "object" || permission === null || Array.isArray(permission)) {
    throw new Error(`A permission must be a scope, {allOf}, {anyOf} or a GG_ constant, not ${nameOf(permission)}`);
  }
  const keys = Object.keys(permission);
  const [key] = keys;
  if (keys.length !== 1 || (key !== "allOf" && key !== "anyOf" && key !== "__permission")) {
    throw new Error(`A permission object has exactly one of allOf and anyOf, not: ${keys.join(", ") || "no key"}`);
  }
  const content = (permission as Record<string, unknown>)[key];
  if (key === "__permission") {
    if (content !== "none" && content !== "any") throw new Error(`Unknown permission constant: ${String(content)}`);
    return;
  }
  if (!Array.isArray(content) || content.length === 0) throw new Error(`${key} must be a list with at least one entry`);
  if (depth >= MAX_DEPTH) throw new Error(`Permissions may nest at most ${MAX_DEPTH} deep`);
  for (const part of content) check(part, depth + 1);
}

function nameOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
}
