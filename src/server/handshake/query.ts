import type { GGValidator } from "@grest-ts/schema";
import type { AnyValidator, StandardResult, StandardSchemaV1 } from "../../api/standardSchema.js";
import { standardOf } from "../../connection/methods/clean.js";
import type { QueryArgs } from "../../protocol/query.js";
import { answeredAtOnce } from "../answeredAtOnce.js";

/** What a validator makes of query arguments; why they do not pass says nothing to a peer. */
type CheckedQuery<T> = { readonly success: true; readonly value: T } | { readonly success: false };

/**
 * What the validator makes of the arguments. A list of one item looks like a single value, so where the validator wants
 * a list it gets one.
 */
export function checkQuery<T>(validator: AnyValidator<T>, args: QueryArgs): CheckedQuery<T> {
  const standard = standardOf(validator) as StandardSchemaV1<unknown, T>["~standard"] | undefined;
  return standard ? checkByStandard(standard, args) : checkByOwn(validator as GGValidator<T>, args);
}

function checkByOwn<T>(validator: GGValidator<T>, args: QueryArgs): CheckedQuery<T> {
  const result = answeredAtOnce(validator.safeParse(args, true));
  if (typeof result.success !== "boolean")
    throw new TypeError("safeParse must return {success, value} or {success, issues}");
  if (result.success) return result;
  // A validator of another library may describe its issues in another way.
  const issues: unknown = (result.issues as Partial<typeof result.issues> | undefined)?.toJSON?.();
  if (!Array.isArray(issues)) return result;
  const paths = (issues as ReturnType<typeof result.issues.toJSON>)
    .filter(({ code }) => code === "invalid.array.type")
    .map(({ path }) => path);
  const lists = withLists(args, paths);
  return lists ? validator.safeParse(lists, true) : result;
}

function checkByStandard<T>(standard: StandardSchemaV1<unknown, T>["~standard"], args: QueryArgs): CheckedQuery<T> {
  const validate = (given: QueryArgs) => answeredAtOnce(standard.validate(given)) as StandardResult<T>;
  let result = validate(args);
  if (result.issues) {
    // Its issues do not say which of them want a list.
    const paths = result.issues.map(({ path: [first] = [] }) => Object(first).key ?? first);
    const lists = withLists(args, paths);
    if (lists) result = validate(lists);
  }
  if (result.issues) return { success: false };
  if ("value" in result) return { success: true, value: result.value };
  throw new TypeError("validate must return {value} or {issues}");
}

/** The arguments with lists of one item in these places; `undefined` where none of them is a single value. */
function withLists(args: QueryArgs, paths: readonly PropertyKey[]): QueryArgs | undefined {
  const lists = paths.map(String).flatMap((path) => {
    const value = Object.hasOwn(args, path) ? args[path] : undefined;
    return typeof value === "string" ? [[path, [value]] as const] : [];
  });
  return lists.length > 0 ? { ...args, ...Object.fromEntries(lists) } : undefined;
}
