import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { globalConfig } from "zod/v4/core";
import {
  type GGSchema,
  IsAny,
  IsArray,
  IsBoolean,
  IsLiteral,
  IsNumber,
  IsObject,
  IsRecord,
  IsString,
  IsUint,
  IsUnion,
  IsUnknown,
  type tUint,
} from "../src/index.js";
import { issuesOf } from "./support.js";

// zod compiles objects if the CSP allows it and otherwise interprets them: both must agree.
describe.each([
  ["compiled", false],
  ["interpreted, as under a strict CSP", true],
])("IsObject, %s", (_name, jitless) => {
  const before = globalConfig.jitless;
  beforeAll(() => {
    globalConfig.jitless = jitless;
  });
  afterAll(() => {
    globalConfig.jitless = before;
  });

  it("drops unknown keys and gives a new object, at every depth", () => {
    const schema = IsObject({
      a: IsString,
      inner: IsObject({ b: IsNumber }),
      list: IsArray(IsObject({ c: IsString })),
    });
    const input = { a: "x", z: 1, inner: { b: 1, z: 2 }, list: [{ c: "y", z: 3 }] };
    for (const coerce of [true, false]) {
      const output = schema.parse(input, coerce);
      expect(output).toEqual({ a: "x", inner: { b: 1 }, list: [{ c: "y" }] });
      expect(output).not.toBe(input);
      expect(output.inner).not.toBe(input.inner);
      expect(output.list).not.toBe(input.list);
    }
    expect(input).toEqual({ a: "x", z: 1, inner: { b: 1, z: 2 }, list: [{ c: "y", z: 3 }] });
    expect(schema.is(input)).toBe(true);
  });

  it.each([5, "a", [], true])("is not %j", (value) => {
    expect(issuesOf(IsObject({}), value, true)).toEqual([
      { path: "", code: "invalid.object.type", message: "Value must be an object", value },
    ]);
  });

  it("reports every field, with its dotted path", () => {
    const schema = IsObject({ name: IsString, items: IsArray(IsObject({ name: IsString, n: IsNumber })) });
    expect(issuesOf(schema, { items: [{ name: "a", n: 1 }, { n: "x" }] }, true)).toEqual([
      { path: "name", code: "required", message: "Value is required" },
      { path: "items.1.name", code: "required", message: "Value is required" },
      { path: "items.1.n", code: "invalid.number.type", message: "Value must be a number", value: "x" },
    ]);
  });

  it("keeps an absent optional key absent, and rejects null for it", () => {
    const schema = IsObject({ a: IsString.orUndefined });
    expect(Object.keys(schema.parse({}, true))).toEqual([]);
    expect(schema.parse({ a: undefined }).a).toBe(undefined);
    expect(issuesOf(schema, { a: null }, true)).toMatchObject([{ path: "a", code: "required", value: null }]);
  });

  it.each([
    ["IsAny", IsAny],
    ["IsUnknown", IsUnknown],
  ])("misses the key of %s when it is absent or null", (_name, field) => {
    for (const value of [{}, { a: undefined }, { a: null }]) {
      for (const coerce of [true, false]) {
        expect(issuesOf(IsObject({ a: field }), value, coerce)).toMatchObject([{ path: "a", code: "required" }]);
      }
      expect(IsObject({ a: field.orNull.orUndefined }).parse(value, true)).toEqual(value);
      expect(IsObject({ a: field }).is(value)).toBe(false);
    }
    expect(Object.keys(IsObject({ a: field.orNull.orUndefined }).parse({}, true))).toEqual([]);
    expect(issuesOf(IsArray(field), [1, null], true)).toMatchObject([{ path: "1", code: "required" }]);
    expect(issuesOf(IsRecord(field), { k: null }, true)).toMatchObject([{ path: "k", code: "required" }]);
  });

  it("distinguishes null from undefined", () => {
    const schema = IsObject({ a: IsString.orNull, b: IsString.orNull.orUndefined });
    expect(schema.parse({ a: null, b: null })).toEqual({ a: null, b: null });
    expect(issuesOf(schema, {}, true)).toMatchObject([{ path: "a", code: "required" }]);
  });

  it("fills defaults in for null and undefined when coercing", () => {
    const schema = IsObject({
      a: IsUint.default(3 as tUint),
      b: IsString.orNull.default("x"),
      c: IsString.trim.default(" y "),
    });
    expect(schema.parse({}, true)).toEqual({ a: 3, b: "x", c: "y" });
    expect(schema.parse({ a: null, b: null, c: "z" }, true)).toEqual({ a: 3, b: "x", c: "z" });
    expect(issuesOf(schema, { b: null })).toMatchObject([
      { path: "a", code: "required" },
      { path: "c", code: "required" },
    ]);
  });

  it("validates a default like any value, and never shares it", () => {
    expect(issuesOf(IsObject({ a: IsUint.default(-1 as tUint) }), {}, true)).toMatchObject([
      { code: "invalid.number.min" },
    ]);
    const schema = IsObject({ tags: IsArray(IsString).default(["a"]) });
    schema.parse({}, true).tags.push("b");
    expect(schema.parse({}, true)).toEqual({ tags: ["a"] });
  });

  it("converts nested values when coercing, whether or not the rest is well-formed", () => {
    const schema = IsObject({ n: IsNumber, s: IsString, u: IsUnion(IsString, IsNumber), on: IsBoolean.default(true) });
    expect(schema.parse({ n: "5", s: 7, u: 5, extra: 1 }, true)).toEqual({ n: 5, s: "7", u: 5, on: true });
    expect(issuesOf(schema, { n: "5", s: "7", u: 5, on: true })).toMatchObject([{ path: "n" }]);
  });

  it("takes literals for IsLiteral", () => {
    const schema = IsObject({ kind: "circle", version: 1, round: true });
    expect(schema.parse({ kind: "circle", version: 1, round: true })).toEqual({
      kind: "circle",
      version: 1,
      round: true,
    });
    expect(issuesOf(schema, { kind: "square", version: 1, round: true }, true)).toMatchObject([
      { path: "kind", code: "invalid.literal.invalid", params: { expected: "circle" } },
    ]);
  });

  it("never lets a key reach a prototype", () => {
    const schema = IsObject({ a: IsString });
    const hostile = JSON.parse('{"a":"x","__proto__":{"admin":true},"constructor":{"prototype":1},"toJSON":"y"}');
    const output = schema.parse(hostile, true);
    expect(Object.keys(output)).toEqual(["a"]);
    expect(Object.getPrototypeOf(output)).toBe(Object.prototype);
    expect("admin" in output).toBe(false);
    expect(({} as Record<string, unknown>).admin).toBe(undefined);
  });

  it("sees own properties only", () => {
    const schema = IsObject({ a: IsString, toString: IsString.orUndefined, constructor: IsAny.orUndefined });
    expect(schema.parse({ a: "x" }, true)).toEqual({ a: "x" });
    expect(schema.parse(JSON.parse('{"a":"x","constructor":"c","toString":"s"}'), true)).toEqual({
      a: "x",
      constructor: "c",
      toString: "s",
    });
    expect(issuesOf(IsObject({ a: IsString }), Object.create({ a: "inherited" }), true)).toMatchObject([
      { path: "a", code: "required" },
    ]);
    expect(issuesOf(IsObject({ valueOf: IsAny, a: IsString }), {}, true)).toMatchObject([
      { path: "valueOf", code: "required" },
      { path: "a" },
    ]);
    expect(IsObject({ a: IsString }).is(Object.create({ a: "inherited" }))).toBe(false);
  });

  it("reads instances of classes and objects without a prototype", () => {
    class User {
      name = "Ann";
      password = "secret";
    }
    expect(IsObject({ name: IsString }).parse(new User(), true)).toEqual({ name: "Ann" });
    expect(IsObject({ name: IsString }).parse(Object.assign(Object.create(null), { name: "Ann" }))).toEqual({
      name: "Ann",
    });
  });

  it("accepts a shape that refers to the validator itself", () => {
    interface Tree {
      v: number;
      children: Tree[];
    }
    const IsTree: GGSchema<Tree> = IsObject(() => ({ v: IsNumber, children: IsArray(IsTree) }));
    expect(IsTree.parse({ v: "1", children: [{ v: 2, children: [], x: 1 }] }, true)).toEqual({
      v: 1,
      children: [{ v: 2, children: [] }],
    });
    expect(issuesOf(IsTree, { v: 1, children: [{ v: 1, children: [{ v: 1 }] }] }, true)).toMatchObject([
      { path: "children.0.children.0.children", code: "required" },
    ]);
  });

  it("derives others with extend, merge, pick and omit, and stays unchanged", () => {
    const base = IsObject({ a: IsString, b: IsNumber });
    expect(base.extend({ b: IsString, c: "x" }).parse({ a: "1", b: "2", c: "x" })).toEqual({ a: "1", b: "2", c: "x" });
    expect(base.merge(IsObject({ d: IsBoolean })).parse({ a: "1", b: 2, d: true, e: 1 })).toEqual({
      a: "1",
      b: 2,
      d: true,
    });
    expect(base.pick("a").parse({ a: "1", b: 2 })).toEqual({ a: "1" });
    expect(base.omit("a").parse({ a: "1", b: 2 })).toEqual({ b: 2 });
    expect(base.parse({ a: "1", b: 2, c: 3 })).toEqual({ a: "1", b: 2 });
    expect(
      IsObject(() => ({ a: IsString }))
        .extend({ b: IsString })
        .parse({ a: "1", b: "2" }),
    ).toEqual({ a: "1", b: "2" });
  });
});

it("refuses a field named __proto__ and a shape of something else", () => {
  expect(() => IsObject({ ["__proto__"]: IsString })).toThrow("__proto__");
  expect(() => IsObject({ a: undefined as unknown as string })).toThrow('Field "a" is neither');
});

describe("IsArray", () => {
  it.each([
    [IsArray(IsString).minLength(2), { code: "invalid.array.minLength", params: { min: 2 } }],
    [IsArray(IsString).maxLength(0), { code: "invalid.array.maxLength", params: { max: 0 } }],
    [IsArray(IsString).range(2, 3), { code: "invalid.array.range", params: { min: 2, max: 3 } }],
  ])("reports its length (%#)", (schema, issue) => {
    expect(issuesOf(schema, ["a"], true)).toMatchObject([{ path: "", ...issue }]);
    expect(schema.is(["a"])).toBe(false);
  });

  it("is not an object with a length", () => {
    expect(issuesOf(IsArray(IsString), { length: 0 }, true)).toMatchObject([
      { code: "invalid.array.type", message: "Value must be an array" },
    ]);
  });

  it("refuses to loosen", () => {
    expect(() => IsArray(IsString).maxLength(2).maxLength(3)).toThrow("loosen");
  });

  it("reports the first 100 issues, however many items are wrong", () => {
    for (const coerce of [true, false]) {
      const issues = issuesOf(IsArray(IsString), ["a", ...Array(5000).fill(null)], coerce);
      expect(issues.map(({ path }) => path)).toEqual(Array.from({ length: 100 }, (_, at) => `${at + 1}`));
    }
    const rows = IsArray(IsArray(IsString));
    const wrong = Array(50).fill(Array(30).fill([]));
    expect(issuesOf(rows, wrong, true).map(({ path }) => path)).toEqual(
      Array.from({ length: 100 }, (_, at) => `${Math.floor(at / 30)}.${at % 30}`),
    );
  });
});

describe("IsRecord", () => {
  it("checks values, at the path of their key", () => {
    expect(IsRecord(IsNumber).parse({ a: "1", b: 2 }, true)).toEqual({ a: 1, b: 2 });
    expect(issuesOf(IsObject({ m: IsRecord(IsNumber) }), { m: { a: "x" } }, true)).toMatchObject([
      { path: "m.a", code: "invalid.number.type" },
    ]);
  });

  it("marks an invalid key by brackets", () => {
    const schema = IsObject({ m: IsRecord(IsString.minLength(2), IsNumber) });
    expect(issuesOf(schema, { m: { a: 1, bb: 2 } }, true)).toEqual([
      {
        path: "m[a]",
        code: "invalid.string.minLength",
        message: "Value must be at least 2 characters",
        params: { min: 2 },
        value: "a",
      },
    ]);
    expect(issuesOf(IsRecord(IsLiteral("x"), IsNumber), { y: 1 })).toMatchObject([
      { path: "[y]", code: "invalid.literal.invalid" },
    ]);
  });

  it("needs only some of a fixed set of keys", () => {
    expect(IsRecord(IsLiteral("x", "y"), IsNumber).parse({ x: 1 }, true)).toEqual({ x: 1 });
  });

  it.each([[[]], [5], [new Map()]])("is not %j", (value) => {
    expect(issuesOf(IsRecord(IsUnknown), value, true)).toMatchObject([{ code: "invalid.record.type" }]);
  });

  it("keeps keys that are data, but never one that would set the prototype", () => {
    const output = IsRecord(IsUnknown).parse(JSON.parse('{"__proto__":{"admin":1},"constructor":2}'), true);
    expect(Object.keys(output)).toEqual(["constructor"]);
    expect(Object.getPrototypeOf(output)).toBe(Object.prototype);
    expect(output.admin).toBe(undefined);
  });
});
