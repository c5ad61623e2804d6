import type { $ZodIssue } from "zod/v4/core";
import { GGIssueKey } from "../issues/issue-key.js";
import { GGIssuesList } from "../issues/issues-list.js";
import {
  ARRAY_TYPE,
  BOOLEAN_TYPE,
  LITERAL_INVALID,
  NUMBER_TYPE,
  OBJECT_TYPE,
  RECORD_TYPE,
  type Rule,
  STRING_TYPE,
  UNION_INVALID,
} from "../issues/rules.js";

const TYPE_RULES: Readonly<Record<string, GGIssueKey>> = {
  string: STRING_TYPE,
  number: NUMBER_TYPE,
  boolean: BOOLEAN_TYPE,
  object: OBJECT_TYPE,
  array: ARRAY_TYPE,
  record: RECORD_TYPE,
};

/** Turns what zod found into this package's issues. */
export function toIssuesList(issues: readonly $ZodIssue[]): GGIssuesList {
  const list = new GGIssuesList();
  for (const issue of issues) {
    const path = pathOf(issue);
    const { key, params } = ruleOf(issue);
    list.add(key as GGIssueKey, issue.input, path, params);
  }
  return list;
}

function pathOf(issue: $ZodIssue): string {
  if (issue.code !== "invalid_key") return issue.path.map(String).join(".");
  // Brackets distinguish an invalid key of a record from an invalid value under that key.
  return `${issue.path.slice(0, -1).map(String).join(".")}[${String(issue.path.at(-1))}]`;
}

function ruleOf(issue: $ZodIssue): Rule {
  if (issue.code === "invalid_key") {
    const first = issue.issues[0];
    return first ? ruleOf({ ...first, input: issue.input } as $ZodIssue) : { key: STRING_TYPE };
  }
  const rule = issue.code === "custom" ? (issue.params?.rule as Rule | undefined) : undefined;
  if (rule) return rule;
  if (issue.input == null) return { key: GGIssueKey.required as GGIssueKey };
  if (issue.code === "invalid_type") return { key: TYPE_RULES[issue.expected] ?? UNION_INVALID };
  if (issue.code === "invalid_value") {
    return { key: LITERAL_INVALID, params: { expected: issue.values.map(String).join(", ") } };
  }
  return { key: UNION_INVALID };
}
