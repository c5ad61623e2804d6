import type { $ZodRawIssue } from "zod/v4/core";
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
import { MAX_ISSUES } from "./pass.js";

/** The most characters of one part of a path. */
const MAX_PART = 200;

const TYPE_RULES: Readonly<Record<string, GGIssueKey>> = {
  string: STRING_TYPE,
  number: NUMBER_TYPE,
  boolean: BOOLEAN_TYPE,
  object: OBJECT_TYPE,
  array: ARRAY_TYPE,
  record: RECORD_TYPE,
};

/** Turns what zod found into this package's issues, as many as are reported. */
export function toIssuesList(issues: readonly $ZodRawIssue[]): GGIssuesList {
  const list = new GGIssuesList();
  for (const issue of issues.slice(0, MAX_ISSUES)) {
    const path = pathOf(issue);
    const { key, params } = ruleOf(issue);
    list.add(key as GGIssueKey, issue.input, path, params);
  }
  return list;
}

function pathOf({ code, path = [] }: $ZodRawIssue): string {
  // A key of the input may be long, and is part of the path of every issue below it.
  const parts = path.map((part) => String(part).slice(0, MAX_PART));
  if (code !== "invalid_key") return parts.join(".");
  // Brackets distinguish an invalid key of a record from an invalid value under that key.
  return `${parts.slice(0, -1).join(".")}[${parts.at(-1)}]`;
}

function ruleOf(issue: $ZodRawIssue): Rule {
  if (issue.code === "invalid_key") {
    const [first] = issue.issues as unknown as readonly $ZodRawIssue[];
    return first ? ruleOf({ ...first, input: issue.input } as $ZodRawIssue) : { key: STRING_TYPE };
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
