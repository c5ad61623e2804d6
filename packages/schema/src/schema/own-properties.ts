/**
 * Prepares a value for zod's object schema, which reads `input[key]` and so would see inherited properties: a plain
 * object passes as it is, any other is copied, own properties only.
 */
export function ownPropertiesFor(keys: () => readonly string[]): (value: unknown) => unknown {
  // Otherwise a field named like a member of Object.prototype would read that member if the peer sent none.
  let shadowed: boolean | undefined;
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    shadowed ??= keys().some((key) => key in Object.prototype);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (!shadowed && (prototype === Object.prototype || prototype === null)) return value;
    const copy: Record<string, unknown> = Object.create(null);
    for (const key of keys()) {
      if (Object.hasOwn(value, key)) copy[key] = (value as Record<string, unknown>)[key];
    }
    return copy;
  };
}
