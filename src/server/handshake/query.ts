import type { GGValidator } from "@grest-ts/schema";
import type { QueryArgs } from "../../protocol/query.js";
import { answeredAtOnce } from "../answeredAtOnce.js";

/**
 * What the validator makes of the arguments. A list of one item looks like a single value, so where the validator wants
 * a list it gets one.
 */
export function checkQuery<T>(validator: GGValidator<T>, args: QueryArgs): ReturnType<GGValidator<T>["safeParse"]> {
  const result = answeredAtOnce(validator.safeParse(args, true));
  if (typeof result.success !== "boolean")
    throw new TypeError("safeParse must return {success, value} or {success, issues}");
  if (result.success) return result;
  // A validator of another library may describe its issues in another way.
  const issues: unknown = (result.issues as Partial<typeof result.issues> | undefined)?.toJSON?.();
  if (!Array.isArray(issues)) return result;
  const lists = (issues as ReturnType<typeof result.issues.toJSON>)
    .filter(({ path, code }) => code === "invalid.array.type" && typeof args[path] === "string")
    .map(({ path }) => [path, [args[path]]]);
  return lists.length > 0 ? validator.safeParse({ ...args, ...Object.fromEntries(lists) }, true) : result;
}
