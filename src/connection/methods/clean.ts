import type { GGIssuesList, GGValidator, ValidationIssueJson } from "@grest-ts/schema";
import type { AnyError } from "./outcome.js";

/** Cleans a value, or returns its issues: all that a schema is used for here. */
export type Cleaner = Pick<GGValidator<unknown>, "safeParse">;

/** The most issues that are read from a list: many wrong items must not cost many times what they are. */
const MAX_ISSUES = 100;

/** What a schema makes of a value; throws what `refuse` makes of the first issues when it does not pass. */
export function clean(schema: Cleaner, value: unknown, refuse: (issues: ValidationIssueJson[]) => AnyError): unknown {
  const parsed = schema.safeParse(value, true);
  if (parsed.success) return parsed.value;
  // A promise is no answer, and its rejection must not end the process.
  Promise.resolve(parsed).catch(() => {});
  throw refuse(firstIssues(parsed.issues));
}

/** The fields that issues are about, for developers: never their values. */
export function fieldsOf(issues: readonly ValidationIssueJson[]): string {
  return issues
    .map(({ path, code }) => `${path} ${code}`)
    .join(", ")
    .slice(0, 1_000);
}

/** The list of another validator may have nothing but `toJSON`. */
function firstIssues(list: GGIssuesList): ValidationIssueJson[] {
  if (!list.getPath) return list.toJSON().slice(0, MAX_ISSUES);
  return Array.from({ length: Math.min(list.length, MAX_ISSUES) }, (_, at) => ({
    path: list.getPath(at),
    code: list.getIssue(at).code,
    message: list.getMessage(at),
    params: list.getParams(at),
    value: list.getValue(at),
  }));
}
