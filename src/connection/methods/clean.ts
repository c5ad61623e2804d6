import type { GGIssuesList, GGValidator, ValidationIssueJson } from "@grest-ts/schema";
import type { AnyError } from "./outcome.js";

/** Cleans a value, or returns its issues: all that a schema is used for here. */
export type Cleaner = Pick<GGValidator<unknown>, "safeParse">;

/** Neither many issues, nor large values, nor long keys in their paths may make a reply larger than its request. */
const MAX_ISSUES = 100;
const MAX_LENGTH = 1_000;

/** What a schema makes of a value; throws what `refuse` makes of the first issues when it does not pass. */
export function clean(schema: Cleaner, value: unknown, refuse: (issues: ValidationIssueJson[]) => AnyError): unknown {
  const parsed = schema.safeParse(value, true);
  if (parsed.success) return parsed.value;
  throw refuse(firstIssues(parsed.issues).map(shorten));
}

/** Cuts the texts of an issue, and leaves its value out where that is long. */
function shorten(issue: ValidationIssueJson): ValidationIssueJson {
  const short = Object.entries(issue).map(([name, member]) => {
    if (name !== "value" && typeof member === "string") return [name, member.slice(0, MAX_LENGTH)];
    return [name, isShort(member) ? member : undefined];
  });
  return Object.fromEntries(short);
}

/** The fields that issues are about, for developers: never their values. */
export function fieldsOf(issues: readonly ValidationIssueJson[]): string {
  return issues
    .map(({ path, code }) => `${path} ${code}`)
    .join(", ")
    .slice(0, MAX_LENGTH);
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

/** Whether the JSON text of a value is short: reads no more of it than that, however large or deep it is. */
function isShort(value: unknown): boolean {
  let left = MAX_LENGTH;
  try {
    JSON.stringify(value, (key, part) => {
      left -= key.length + (typeof part === "string" ? part.length : 1);
      if (left < 0) throw left;
      return part;
    });
    return true;
  } catch {
    return false;
  }
}
