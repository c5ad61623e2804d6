import type { GGIssuesList, GGValidator, ValidationIssueJson } from "@grest-ts/schema";
import type { StandardIssue, StandardSchemaV1 } from "../../api/standardSchema.js";
import type { AnyError } from "./outcome.js";

/** Cleans a value, or returns its issues: all that a schema is used for here. */
export type Cleaner = Pick<GGValidator<unknown>, "safeParse">;

/** What a contract may have as a validator. */
export type Validator = Cleaner | StandardSchemaV1;

/** The most issues that are read from a list: many wrong items must not cost many times what they are. */
const MAX_ISSUES = 100;

/** How a validator of another library works. One of `@grest-ts/schema` works in its own way, which coerces. */
export function standardOf(validator: Validator): StandardSchemaV1["~standard"] | undefined {
  return "orNull" in validator ? undefined : (validator as Partial<StandardSchemaV1>)["~standard"];
}

/**
 * What a validator makes of a value; throws what `refuse` makes of the first issues when it does not pass. A client sends
 * what it was given to a Standard Schema, not the output: that need not pass again, at the other end.
 */
export function clean(
  validator: Validator,
  value: unknown,
  refuse: (issues: ValidationIssueJson[]) => AnyError,
  isSent?: boolean,
): unknown {
  const standard = standardOf(validator);
  const parsed = (standard ? standard.validate(value) : (validator as Cleaner).safeParse(value, true)) as {
    readonly success?: unknown;
    readonly value?: unknown;
    readonly issues?: unknown;
  };
  if (standard ? !parsed.issues && "value" in parsed : parsed.success) return standard && isSent ? value : parsed.value;
  // A promise is no answer, and its rejection must not end the process. Libraries also answer with one when a part of them throws.
  Promise.resolve(parsed).catch(() => {});
  if (!parsed.issues) throw new TypeError("asynchronous validators are not supported, nor those that throw");
  throw refuse(
    standard
      ? standardIssues(parsed.issues as StandardIssue[], standard.vendor)
      : firstIssues(parsed.issues as GGIssuesList),
  );
}

/** The fields that issues are about, for developers: never their values. */
export function fieldsOf(issues: readonly ValidationIssueJson[]): string {
  return issues
    .map(({ path, code }) => `${path} ${code}`.trim())
    .join(", ")
    .slice(0, 1_000);
}

function standardIssues(issues: readonly StandardIssue[], vendor: string): ValidationIssueJson[] {
  return issues.slice(0, MAX_ISSUES).map(({ path = [], message }) => ({
    // Not `map`: the paths of arktype are of a class of their own, which it makes wrongly.
    path: Array.from(path, (part) =>
      String(Object(part) === part ? (part as { readonly key: PropertyKey }).key : part),
    ).join("."),
    code: `invalid.${vendor}`,
    message,
  }));
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
