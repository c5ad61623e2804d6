import { $ZodUnion } from "zod/v4/core";
import type { GGUnionDef } from "./def.js";
import type { JsonSchema, JsonSchemaBuilder } from "./json-schema.js";
import type { Mode, ZodCheck, ZodNode } from "./node.js";
import { GGSchema } from "./schema.js";

/** Validator of values that fit one of several validators. */
export class GGUnionSchema<T> extends GGSchema<T, GGUnionDef> {
  protected override build(mode: Mode, checks: ZodCheck[]): ZodNode {
    const variants = (of: Mode) => this.def.options.map((option) => GGSchema.nodeOf(option, of));
    // A value that fits a variant unchanged must not be converted to fit an earlier one.
    const options = mode === "coerce" ? [...variants("fast"), ...variants("coerce")] : variants(mode);
    return new $ZodUnion({ type: "union", options, checks });
  }

  protected override jsonSchema(builder: JsonSchemaBuilder): JsonSchema {
    return { anyOf: this.def.options.map((option) => builder.schema(option)) };
  }
}

/** A value that is valid for one of the given validators; the first that fits cleans it. */
export function IsUnion<const S extends readonly [GGSchema<unknown>, ...GGSchema<unknown>[]]>(
  ...options: S
): GGUnionSchema<S[number]["infer"]> {
  return new GGUnionSchema<S[number]["infer"]>({
    kind: "union",
    options: Object.freeze([...options]),
    optional: options.some((option) => option.def.optional === true),
    nullable: options.some((option) => option.def.nullable === true),
  });
}
