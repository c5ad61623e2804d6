import type { ValidationIssueJson } from "@grest-ts/schema";
import type { GGFieldIssues } from "./types.js";

/** The data of a `VALIDATION_ERROR` as messages by field path. */
export function fieldErrors(data: unknown): Record<string, GGFieldIssues> {
  const issues = (Array.isArray(data) ? data : []) as ValidationIssueJson[];
  const paths = [...new Set(issues.map(({ path }) => path))];
  return Object.fromEntries(
    paths.map((path) => {
      const own = issues.filter((issue) => issue.path === path);
      const messages = own.map(({ message }) => message);
      return [path, Object.defineProperty(messages, "__issue", { value: own }) as unknown as GGFieldIssues];
    }),
  );
}
