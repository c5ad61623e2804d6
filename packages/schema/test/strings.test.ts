import { describe, expect, it } from "vitest";
import { GGIssueInvalid, IsString } from "../src/index.js";
import { issuesOf } from "./support.js";

describe("IsString", () => {
  it("accepts strings and names the problem of anything else", () => {
    expect(IsString.parse("a")).toBe("a");
    expect(issuesOf(IsString, 5)).toEqual([
      { path: "", code: "invalid.string.type", message: "Value must be a string", value: 5 },
    ]);
    expect(issuesOf(IsString, {}, true)).toEqual([
      { path: "", code: "invalid.string.type", message: "Value must be a string", value: {} },
    ]);
  });

  it.each([undefined, null])("calls %s required, not of a wrong type", (value) => {
    for (const coerce of [true, false]) {
      expect(issuesOf(IsString, value, coerce)).toMatchObject([{ code: "required", message: "Value is required" }]);
    }
  });

  it("turns finite numbers and booleans into strings only when coercing", () => {
    expect(IsString.parse(1.5, true)).toBe("1.5");
    expect(IsString.parse(false, true)).toBe("false");
    expect(IsString.safeParse(1.5).success).toBe(false);
    expect(IsString.safeParse(Number.NaN, true).success).toBe(false);
  });

  it("trims before the other rules, coercing or not", () => {
    expect(IsString.trim.parse("  a ")).toBe("a");
    expect(IsString.trim.parse("  a ", true)).toBe("a");
    expect(issuesOf(IsString.nonEmpty.trim, "   ")).toMatchObject([{ code: "invalid.string.nonEmpty", value: "" }]);
  });

  it("does not clean in `is` and `assert`", () => {
    const IsCode = IsString.trim.regex(/^\w+$/);
    expect(IsCode.parse(" a ")).toBe("a");
    expect(IsCode.is(" a ")).toBe(false);
    expect(IsCode.is("a")).toBe(true);
  });

  it.each([
    [IsString.nonEmpty, "", { code: "invalid.string.nonEmpty", message: "Value must not be empty" }],
    [
      IsString.minLength(3),
      "ab",
      { code: "invalid.string.minLength", message: "Value must be at least 3 characters", params: { min: 3 } },
    ],
    [
      IsString.maxLength(1),
      "ab",
      { code: "invalid.string.maxLength", message: "Value must be at most 1 characters", params: { max: 1 } },
    ],
    [
      IsString.range(3, 4),
      "ab",
      {
        code: "invalid.string.range",
        message: "Value must be between 3 and 4 characters",
        params: { min: 3, max: 4 },
      },
    ],
    [IsString.regex(/^x/), "ab", { code: "invalid.string.pattern", message: "Value does not match required pattern" }],
  ])("reports a broken rule (%#)", (schema, value, issue) => {
    expect(issuesOf(schema, value)).toEqual([{ path: "", value, ...issue }]);
    expect(issuesOf(schema, value, true)).toEqual([{ path: "", value, ...issue }]);
  });

  it("accepts what is exactly at the bounds", () => {
    expect(IsString.range(1, 2).is("a")).toBe(true);
    expect(IsString.range(1, 2).is("ab")).toBe(true);
    expect(IsString.range(1, 2).is("abc")).toBe(false);
  });

  it("matches a global pattern the same way every time", () => {
    const schema = IsString.regex(/a/g);
    expect([schema.is("a"), schema.is("a"), schema.is("a")]).toEqual([true, true, true]);
  });

  it("reports the issue given with a pattern", () => {
    const issue = new GGIssueInvalid("slug", "Not a slug");
    expect(issuesOf(IsString.regex(/^[a-z]+$/, issue), "A")).toMatchObject([
      { code: "invalid.slug", message: "Not a slug" },
    ]);
  });

  it("narrows bounds and refuses to loosen them", () => {
    expect(IsString.maxLength(5).maxLength(3).is("abcd")).toBe(false);
    expect(() => IsString.maxLength(5).maxLength(6)).toThrow("loosen the upper bound from 5 to 6");
    expect(() => IsString.minLength(5).minLength(4)).toThrow("loosen the lower bound from 5 to 4");
    expect(() => IsString.range(2, 5).range(1, 5)).toThrow("loosen");
    expect(() => IsString.minLength(5).maxLength(4)).toThrow("above the upper bound");
    expect(() => IsString.minLength(-1)).toThrow("whole number");
    expect(() => IsString.maxLength(Number.NaN)).toThrow("whole number");
  });
});
