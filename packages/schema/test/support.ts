import type { GGSchema, ValidationIssueJson } from "../src/index.js";

/** The issues of a value that must not be valid. */
export function issuesOf(schema: GGSchema<unknown>, value: unknown, coerce?: boolean): ValidationIssueJson[] {
  const result = schema.safeParse(value, coerce);
  if (result.success) throw new Error(`Expected issues, but ${JSON.stringify(value)} is valid`);
  return result.issues.toJSON();
}
