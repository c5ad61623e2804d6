import { describe, expect, it } from "vitest";
import {
  type GGSchema,
  IsArray,
  IsBoolean,
  IsEnum,
  IsInt,
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

const $schema = "https://json-schema.org/draft/2020-12/schema";

describe("toJSONSchema", () => {
  it.each<[GGSchema<unknown>, object]>([
    [IsString.nonEmpty.maxLength(5).regex(/^a/), { type: "string", minLength: 1, maxLength: 5, pattern: "^a" }],
    [IsString.regex(/a/).regex(/b/), { type: "string", pattern: "a", allOf: [{ pattern: "b" }] }],
    [IsUint.max(9), { type: "integer", minimum: 0, maximum: 9 }],
    [IsNumber.multipleOf(0.5), { type: "number", multipleOf: 0.5 }],
    [IsBoolean.default(true), { type: "boolean", default: true }],
    [IsLiteral("a"), { const: "a" }],
    [IsEnum(["a", "b"]), { enum: ["a", "b"] }],
    [IsInt.orNull, { anyOf: [{ type: "integer" }, { type: "null" }] }],
    [IsArray(IsString).range(1, 2), { type: "array", items: { type: "string" }, minItems: 1, maxItems: 2 }],
    [IsRecord(IsNumber), { type: "object", additionalProperties: { type: "number" } }],
    [
      IsRecord(IsString.minLength(2), IsUnknown),
      { type: "object", propertyNames: { type: "string", minLength: 2 }, additionalProperties: {} },
    ],
    [
      IsUnion(IsString, IsNumber.orNull),
      { anyOf: [{ type: "string" }, { anyOf: [{ type: "number" }, { type: "null" }] }] },
    ],
    [
      IsString.docs({ title: "T", example: "e" }).docs({ deprecated: true }),
      { type: "string", title: "T", examples: ["e"], deprecated: true },
    ],
    [
      IsObject({ a: IsString, b: IsString.orUndefined, c: IsUint.default(1 as tUint), kind: "x" }),
      {
        type: "object",
        properties: {
          a: { type: "string" },
          b: { type: "string" },
          c: { type: "integer", minimum: 0, default: 1 },
          kind: { const: "x" },
        },
        required: ["a", "kind"],
      },
    ],
  ])("gives 2020-12 (%#)", (schema, expected) => {
    expect(schema.toJSONSchema()).toEqual({ $schema, ...expected });
  });

  it("refers to a validator that contains itself", () => {
    const IsTree: GGSchema<unknown> = IsObject(() => ({ children: IsArray(IsTree) }));
    const tree = {
      type: "object",
      properties: { children: { type: "array", items: { $ref: "#/$defs/Type1" } } },
      required: ["children"],
    };
    expect(IsTree.toJSONSchema()).toEqual({ $schema, $ref: "#/$defs/Type1", $defs: { Type1: tree } });
    expect(IsObject({ root: IsTree, other: IsTree }).toJSONSchema()).toMatchObject({
      properties: { root: { $ref: "#/$defs/Type1" }, other: { $ref: "#/$defs/Type1" } },
    });
  });
});
