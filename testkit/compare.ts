import { isDeepStrictEqual } from "node:util";
import { runnerExpect } from "./runner.js";

/** One expectation of a value. */
export interface Check {
  /** Completes "expected …": `to equal`. */
  readonly relation: string;
  readonly expected: unknown;
  /** How a value differs, or `undefined` when it does not. */
  mismatch(received: unknown): Mismatch | undefined;
}

/** Both sides of a failed comparison, in the form that a runner's diff shows best. */
export interface Mismatch {
  readonly expected: unknown;
  readonly received: unknown;
}

/** An asymmetric matcher of any library, such as `expect.any(String)`. */
export interface AsymmetricMatcher {
  asymmetricMatch(received: unknown): boolean;
  toAsymmetricMatcher?(): string;
}

export function isAsymmetric(value: unknown): value is AsymmetricMatcher {
  return typeof (value as Partial<AsymmetricMatcher> | null | undefined)?.asymmetricMatch === "function";
}

/** Matches the whole value. */
export function toEqual(expected: unknown): Check {
  return viaRunner("to equal", "toEqual", expected, (received) => equals(received, expected, false));
}

/** Matches a part of the value, at every depth. Arrays are compared member by member. */
export function toMatchObject(expected: unknown): Check {
  const matcher = isPlain(expected) || Array.isArray(expected) ? "toMatchObject" : "toEqual";
  return viaRunner("to match", matcher, expected, (received) => equals(received, expected, true));
}

export function toBeUndefined(): Check {
  return viaRunner("to be", "toEqual", undefined, (received) => received === undefined);
}

/** Matches an array or a string of this length. */
export function toHaveLength(length: number): Check {
  return own("to have length", length, (received) => Object(received).length === length);
}

/** Matches an array that has a member for each of `members`: one that matches it, or equals it when `isExact`. */
export function arrayToContain(members: readonly unknown[], isExact: boolean): Check {
  return own(
    isExact ? "to contain equals of" : "to contain matches of",
    members,
    (received) =>
      Array.isArray(received) && members.every((member) => received.some((one) => equals(one, member, !isExact))),
  );
}

/** Uses the test runner's `expect` if there is one: it counts assertions and supports the runner's own matchers. */
function viaRunner(
  relation: string,
  matcher: "toEqual" | "toMatchObject",
  expected: unknown,
  passes: (received: unknown) => boolean,
): Check {
  return {
    relation,
    expected,
    mismatch(received) {
      const expect = runnerExpect();
      if (!expect) return passes(received) ? undefined : { expected, received };
      try {
        expect(received)[matcher](expected);
        return undefined;
      } catch (thrown) {
        return Object(thrown).actual === undefined
          ? { expected, received }
          : { expected: (thrown as { expected: unknown }).expected, received: (thrown as { actual: unknown }).actual };
      }
    },
  };
}

function own(relation: string, expected: unknown, passes: (received: unknown) => boolean): Check {
  return { relation, expected, mismatch: (received) => (passes(received) ? undefined : { expected, received }) };
}

/** Whether `received` equals `expected`, or contains it when `isPartial`; both honour asymmetric matchers. */
export function equals(received: unknown, expected: unknown, isPartial: boolean): boolean {
  return isDeepStrictEqual(received, fill(expected, received, isPartial));
}

const NO_MATCH = Symbol("no match");

/** `expected`, with everything that it leaves unspecified taken from `received`. */
function fill(expected: unknown, received: unknown, isPartial: boolean): unknown {
  if (isAsymmetric(expected)) return expected.asymmetricMatch(received) ? received : NO_MATCH;
  if (Array.isArray(expected) && Array.isArray(received)) {
    return expected.map((member, at) => fill(member, received[at], isPartial));
  }
  if (!isPlain(expected) || !isPlain(received)) return expected;
  // A key whose value is undefined equals an absent key.
  const open = Object.entries(received).filter(([key, value]) =>
    isPartial ? !(key in expected) : value === undefined,
  );
  const asked = Object.keys(expected)
    .map((key) => [key, fill(expected[key], received[key], isPartial)] as const)
    .filter(([key, value]) => value !== undefined || key in received);
  return Object.fromEntries([...open, ...asked]);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isAsymmetric(value);
}
