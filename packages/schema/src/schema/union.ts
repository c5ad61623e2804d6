import { UnionNode } from "./containers.js";
import type { GGUnionDef } from "./def.js";
import type { JsonSchema, JsonSchemaBuilder } from "./json-schema.js";
import type { Mode, ZodCheck, ZodNode } from "./node.js";
import type { Variants } from "./pass.js";
import { GGSchema } from "./schema.js";

/** Validator of values that fit one of several validators. */
export class GGUnionSchema<T> extends GGSchema<T, GGUnionDef> {
  protected override build(mode: Mode, checks: ZodCheck[]): ZodNode {
    const { options } = this.def;
    const variants = (of: Mode): Variants => ({
      nodes: options.map((option) => GGSchema.nodeOf(option, of)),
      key: of === "coerce" ? this.def : options,
    });
    // A value that fits a variant unchanged must not be converted to fit an earlier one.
    const attempts = mode === "coerce" ? [variants("fast"), variants("coerce")] : [variants(mode)];
    return new UnionNode({ type: "union", options: attempts.flatMap(({ nodes }) => nodes), attempts, checks });
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
