import { describe, expect, it } from "vitest";
import {
  GGIssueInvalid,
  GGIssueKey,
  GGIssuesList,
  IsArray,
  IsNumber,
  IsObject,
  IsString,
  IsUint,
  type tUint,
} from "../src/index.js";
import { issuesOf } from "./support.js";

const NOT_EVEN = new GGIssueInvalid("even", "Must be even");
const NOT_SMALL = new GGIssueInvalid("small", "Must be small");

describe("a validator", () => {
  it("is frozen, and its chain derives another", () => {
    const derived = IsString.nonEmpty;
    expect(derived).not.toBe(IsString);
    expect(IsString.is("")).toBe(true);
    expect(Object.isFrozen(derived)).toBe(true);
    expect(Object.isFrozen(derived.def)).toBe(true);
    expect(() => Object.assign(derived, { def: {} })).toThrow(TypeError);
  });

  it("has a type, not a value, under `infer`", () => {
    expect(() => IsString.infer).toThrow("typeof");
  });

  it("is the same at run time with a brand", () => {
    expect(IsString.brand("Id")).toBe(IsString);
  });

  it("throws its issues, which are not an Error", () => {
    for (const run of [() => IsString.parse(5), () => IsString.assert(5)]) {
      const thrown = catchThrown(run);
      expect(thrown).toBeInstanceOf(GGIssuesList);
      expect(thrown).not.toBeInstanceOf(Error);
    }
    expect(() => IsString.assert("a")).not.toThrow();
  });

  it("does not apply a default in `is`", () => {
    expect(IsUint.default(1 as tUint).is(undefined)).toBe(false);
  });
});

describe("refine", () => {
  const schema = IsNumber.refine((n) => n % 2 === 0, NOT_EVEN).refine((n) => n < 10, NOT_SMALL);

  it("reports the first refinement that fails", () => {
    expect(issuesOf(schema, 11)).toEqual([{ path: "", code: "invalid.even", message: "Must be even", value: 11 }]);
    expect(issuesOf(schema, 12)).toMatchObject([{ code: "invalid.small" }]);
    expect(schema.is(8)).toBe(true);
  });

  it("runs after the built-in rules, on the cleaned value, and only when they hold", () => {
    const seen: unknown[] = [];
    const watched = IsNumber.refine((n) => seen.push(n) > 0, NOT_EVEN).min(3);
    expect(issuesOf(watched, "1", true)).toMatchObject([{ code: "invalid.number.min" }]);
    expect(seen).toEqual([]);
    expect(watched.parse("5", true)).toBe(5);
    expect(seen).toEqual([5]);
  });

  it("does not see null or undefined, and no object with a bad field", () => {
    const never = IsObject({ a: IsString }).refine(() => false, NOT_EVEN);
    expect(never.orNull.parse(null, true)).toBe(null);
    expect(never.orUndefined.parse(undefined)).toBe(undefined);
    expect(issuesOf(never, { a: 1 })).toMatchObject([{ path: "a" }]);
    expect(issuesOf(never, { a: "x" })).toMatchObject([{ path: "", code: "invalid.even" }]);
  });
});

describe("coerce", () => {
  const IsTags = IsArray(IsString).coerce((value) => (typeof value === "string" ? value.split(",") : value));

  it("converts before validation, when coercing only", () => {
    expect(IsTags.parse("a,b", true)).toEqual(["a", "b"]);
    expect(IsTags.safeParse("a,b").success).toBe(false);
    expect(IsTags.is("a,b")).toBe(false);
  });

  it("works together with the conversion of the kind", () => {
    const schema = IsNumber.coerce((value) => (typeof value === "string" ? value.replace("%", "") : value));
    expect(schema.parse("5%", true)).toBe(5);
  });

  it("also converts what is valid already, and a default replaces an allowed null", () => {
    expect(IsString.coerce((value) => String(value).toUpperCase()).parse("a", true)).toBe("A");
    expect(IsObject({ a: IsString.orNull.default("x") }).parse({ a: null }, true)).toEqual({ a: "x" });
  });

  it("keeps the value unchanged when it throws", () => {
    const schema = IsString.coerce(() => {
      throw new Error("no");
    });
    expect(schema.parse("a", true)).toBe("a");
  });
});

describe("GGIssuesList", () => {
  it("gives each issue by index", () => {
    const list = new GGIssuesList();
    expect(list.hasIssues()).toBe(false);
    const key = new GGIssueKey("too.far", "At most {max} km, not {other}");
    expect(key.add(7, list, "a.b", { max: 5 })).toBe(false);
    expect([list.length, list.hasIssues(), list.getPath(0), list.getIssue(0), list.getValue(0)]).toEqual([
      1,
      true,
      "a.b",
      key,
      7,
    ]);
    expect(list.getMessage(0)).toBe("At most 5 km, not {other}");
    expect(list.getParams(0)).toEqual({ max: 5 });
    expect(list.some((issue) => issue.code === "too.far")).toBe(true);
    expect(list.some((issue) => issue === GGIssueKey.required)).toBe(false);
    expect(String(list)).toBe("a.b: At most 5 km, not {other}");
    expect(JSON.stringify(list)).toBe(
      '[{"path":"a.b","code":"too.far","message":"At most 5 km, not {other}","params":{"max":5},"value":7}]',
    );
    expect(() => list.getPath(1)).toThrow(RangeError);
  });

  it("is sent as the README's validation error is", () => {
    const schema = IsObject({ text: IsString.nonEmpty });
    const result = schema.safeParse({ text: "" }, true);
    expect(JSON.stringify(result.success ? [] : result.issues)).toBe(
      '[{"path":"text","code":"invalid.string.nonEmpty","message":"Value must not be empty","value":""}]',
    );
  });

  it("takes its messages from a localizer", () => {
    GGIssueKey.setLocalizer((key, params) =>
      key.code === "invalid.number.min" ? `vähemalt ${params?.min}` : undefined,
    );
    try {
      expect(issuesOf(IsNumber.min(3), 1)).toMatchObject([{ message: "vähemalt 3" }]);
      expect(issuesOf(IsNumber.max(3), 4)).toMatchObject([{ message: "Value must be at most 3" }]);
    } finally {
      GGIssueKey.setLocalizer(undefined);
    }
    expect(issuesOf(IsNumber.min(3), 1)).toMatchObject([{ message: "Value must be at least 3" }]);
  });
});

function catchThrown(run: () => unknown): unknown {
  try {
    run();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("Nothing was thrown");
}
