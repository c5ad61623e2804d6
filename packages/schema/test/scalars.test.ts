import { describe, expect, it } from "vitest";
import {
  GGIssueInvalid,
  IsAny,
  IsBoolean,
  IsEnum,
  IsInt,
  IsLiteral,
  IsNumber,
  IsString,
  IsUint,
  IsUnion,
  IsUnknown,
} from "../src/index.js";
import { issuesOf } from "./support.js";

describe("IsNumber", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, "5", true, {}])("rejects %s", (value) => {
    expect(issuesOf(IsNumber, value)).toMatchObject([
      { code: "invalid.number.type", message: "Value must be a number" },
    ]);
  });

  it("reads numeric strings only when coercing", () => {
    expect(IsNumber.parse("5.5", true)).toBe(5.5);
    expect(IsNumber.parse(" -1e3 ", true)).toBe(-1000);
    for (const text of ["", "  ", "5px", "Infinity", "NaN"]) {
      expect(issuesOf(IsNumber, text, true)).toMatchObject([{ code: "invalid.number.type", value: text }]);
    }
    expect(issuesOf(IsNumber, true, true)).toMatchObject([{ code: "invalid.number.type" }]);
  });

  it.each([
    [IsNumber.min(3), 2, { code: "invalid.number.min", message: "Value must be at least 3", params: { min: 3 } }],
    [IsNumber.max(3), 4, { code: "invalid.number.max", message: "Value must be at most 3", params: { max: 3 } }],
    [
      IsNumber.range(1, 3),
      4,
      { code: "invalid.number.range", message: "Value must be between 1 and 3", params: { min: 1, max: 3 } },
    ],
    [
      IsNumber.multipleOf(5),
      4,
      { code: "invalid.number.multipleOf", message: "Value must be a multiple of 5", params: { multipleOf: 5 } },
    ],
    [IsInt, 1.5, { code: "invalid.number.integer", message: "Value must be an integer" }],
    [IsInt, 2 ** 53, { code: "invalid.number.integer", message: "Value must be an integer" }],
    [IsUint, -1, { code: "invalid.number.min", message: "Value must be at least 0", params: { min: 0 } }],
  ])("reports a broken rule (%#)", (schema, value, issue) => {
    expect(issuesOf(schema, value)).toEqual([{ path: "", value, ...issue }]);
  });

  it("rounds to the step when coercing, and then checks the bounds", () => {
    expect(IsNumber.multipleOf(5).parse(12, true)).toBe(10);
    expect(IsNumber.multipleOf(0.1).parse("0.29", true)).toBe(0.3);
    expect(IsNumber.multipleOf(0.1).is(0.3)).toBe(true);
    expect(issuesOf(IsNumber.multipleOf(5).max(10), 13, true)).toMatchObject([
      { code: "invalid.number.max", value: 15 },
    ]);
  });

  it("does not round an integer: a fraction is a mistake", () => {
    expect(issuesOf(IsUint, "1.5", true)).toMatchObject([{ code: "invalid.number.integer", value: 1.5 }]);
    expect(IsUint.parse("12", true)).toBe(12);
  });

  it("refuses to loosen", () => {
    expect(() => IsUint.min(-1)).toThrow("loosen");
    expect(() => IsNumber.max(5).range(0, 6)).toThrow("loosen");
    expect(() => IsNumber.multipleOf(10).multipleOf(5)).toThrow("loosen");
    expect(IsNumber.multipleOf(5).multipleOf(10).is(15)).toBe(false);
    expect(() => IsNumber.multipleOf(0)).toThrow("above 0");
    expect(() => IsNumber.min(Number.NaN)).toThrow("must be a number");
  });
});

describe("IsBoolean", () => {
  it("converts the usual equivalents when coercing, and nothing else", () => {
    for (const value of [true, "true", "1", 1]) expect(IsBoolean.parse(value, true)).toBe(true);
    for (const value of [false, "false", "0", 0]) expect(IsBoolean.parse(value, true)).toBe(false);
    for (const value of ["yes", 2, "TRUE", []]) {
      expect(issuesOf(IsBoolean, value, true)).toMatchObject([
        { code: "invalid.boolean.type", message: "Value must be a boolean" },
      ]);
    }
    expect(IsBoolean.safeParse("true").success).toBe(false);
  });
});

describe("IsLiteral and IsEnum", () => {
  it("accept the given values only", () => {
    const schema = IsLiteral("a", 1, true);
    for (const value of ["a", 1, true]) expect(schema.parse(value, true)).toBe(value);
    expect(issuesOf(schema, "1", true)).toEqual([
      {
        path: "",
        code: "invalid.literal.invalid",
        message: "Value must be one of: a, 1, true",
        params: { expected: "a, 1, true" },
        value: "1",
      },
    ]);
    expect(issuesOf(schema, null)).toMatchObject([{ code: "required" }]);
  });

  it("take the values of an enum, not the names", () => {
    enum Level {
      Low = 1,
      High = 2,
    }
    const numeric = IsEnum(Level);
    expect([numeric.is(Level.High), numeric.is(3), numeric.is("High"), numeric.is("1")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    const text = IsEnum({ A: "a", B: "b" } as const);
    expect([text.is("a"), text.is("A")]).toEqual([true, false]);
    expect(IsEnum(["x", "y"]).is("y")).toBe(true);
    expect(() => IsEnum({})).toThrow("at least one value");
  });
});

describe("IsAny and IsUnknown", () => {
  it.each([0, "", false, "a", [null]])("let %j through", (value) => {
    for (const schema of [IsAny, IsUnknown]) {
      expect(schema.safeParse(value, true)).toEqual({ success: true, value });
      expect(schema.is(value)).toBe(true);
    }
  });

  it.each([undefined, null])("reject %s as missing, unless the chain allows it", (value) => {
    for (const schema of [IsAny, IsUnknown]) {
      for (const coerce of [true, false]) {
        expect(issuesOf(schema, value, coerce)).toMatchObject([
          { path: "", code: "required", message: "Value is required" },
        ]);
        expect(schema.orNull.orUndefined.safeParse(value, coerce)).toEqual({ success: true, value });
      }
      expect(schema.is(value)).toBe(false);
      expect(schema.orNull.is(value)).toBe(value === null);
      expect(schema.orUndefined.is(value)).toBe(value === undefined);
      expect(schema.default("d").parse(value, true)).toBe("d");
    }
  });

  it("report a missing value once, before any refinement", () => {
    const refined = IsAny.refine(() => false, new GGIssueInvalid("odd", "Odd"));
    expect(issuesOf(refined, null)).toMatchObject([{ code: "required" }]);
    expect(issuesOf(refined, 5)).toMatchObject([{ code: "invalid.odd" }]);
  });

  it("pass the same object on", () => {
    const value = { a: 1 };
    expect(IsUnknown.parse(value, true)).toBe(value);
  });
});

describe("IsUnion", () => {
  it("reports one issue when no variant fits", () => {
    expect(issuesOf(IsUnion(IsLiteral("a"), IsNumber.min(3)), 2)).toEqual([
      { path: "", code: "invalid.union.invalid", message: "Value does not match any variant", value: 2 },
    ]);
  });

  it("converts only a value that fits no variant as it is", () => {
    const schema = IsUnion(IsString, IsNumber);
    expect(schema.parse(5, true)).toBe(5);
    expect(schema.parse(true, true)).toBe("true");
  });

  it("reports null as missing, unless a variant accepts it", () => {
    expect(issuesOf(IsUnion(IsString, IsNumber), null)).toMatchObject([{ code: "required" }]);
    expect(IsUnion(IsString.orNull, IsNumber).parse(null, true)).toBe(null);
    expect(IsUnion(IsString, IsNumber).orNull.parse(null, true)).toBe(null);
  });
});
