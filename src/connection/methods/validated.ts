import type { ValidationIssueJson } from "@grest-ts/schema";
import { clean, type Validator } from "./clean.js";
import { invalidArguments } from "./outcome.js";

/** What a validator of a contract makes of a value, or its issues. Throws what the validator throws. */
export function validated(
  validator: Validator,
  value: unknown,
): { readonly value?: unknown; readonly issues?: readonly ValidationIssueJson[] } {
  let issues: readonly ValidationIssueJson[] | undefined;
  const refuse = (found: readonly ValidationIssueJson[]) => {
    issues = found.map(withoutUndefined);
    return invalidArguments(issues);
  };
  try {
    return { value: clean(validator, value, refuse) };
  } catch (thrown) {
    if (issues) return { issues };
    throw thrown;
  }
}

function withoutUndefined<T extends object>(json: T): T {
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined)) as T;
}
