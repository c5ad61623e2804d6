import type { GGIssueKey } from "../issues/issue-key.js";
import type { GGBoundsDef } from "./def.js";
import { check, type ZodCheck } from "./node.js";

/** The issues for a value that is too small, too large, or outside a range. */
export interface BoundIssues {
  readonly min: GGIssueKey;
  readonly max: GGIssueKey;
  readonly range: GGIssueKey;
}

/**
 * Adds bounds to those of `current`. A chain may only narrow: a wider bound would silently undo a guarantee of the
 * validator that it derives from, so it throws.
 */
export function narrow(current: GGBoundsDef, next: GGBoundsDef): GGBoundsDef {
  const { min = current.min, max = current.max } = next;
  for (const bound of [min, max]) {
    if (bound !== undefined && Number.isNaN(bound)) throw new Error("A bound must be a number");
  }
  if (current.min !== undefined && min !== undefined && min < current.min) {
    throw new Error(`Cannot loosen the lower bound from ${current.min} to ${min}`);
  }
  if (current.max !== undefined && max !== undefined && max > current.max) {
    throw new Error(`Cannot loosen the upper bound from ${current.max} to ${max}`);
  }
  if (min !== undefined && max !== undefined && min > max) {
    throw new Error(`The lower bound ${min} is above the upper bound ${max}`);
  }
  return { min, max, range: next.range ?? current.range ?? false };
}

/** Lengths are whole numbers from zero. */
export function assertLength(...lengths: number[]): void {
  for (const length of lengths) {
    if (!Number.isInteger(length) || length < 0) throw new Error(`A length must be a whole number from 0: ${length}`);
  }
}

/** Checks for the bounds of a value's size, as `measure` returns it. */
export function boundChecks<T>(def: GGBoundsDef, issues: BoundIssues, measure: (value: T) => number): ZodCheck[] {
  const { min, max } = def;
  if (def.range && min !== undefined && max !== undefined) {
    const inside = (value: T) => measure(value) >= min && measure(value) <= max;
    return [check<T>(inside, issues.range, { min, max })];
  }
  const checks: ZodCheck[] = [];
  if (min !== undefined) checks.push(check<T>((value) => measure(value) >= min, issues.min, { min }));
  if (max !== undefined) checks.push(check<T>((value) => measure(value) <= max, issues.max, { max }));
  return checks;
}
