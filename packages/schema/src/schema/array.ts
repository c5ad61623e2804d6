import { ARRAY_MAX, ARRAY_MIN, ARRAY_RANGE } from "../issues/rules.js";
import type { GGBranded, GGDefined } from "../types/brand.js";
import { assertLength, boundChecks, narrow } from "./bounds.js";
import { ArrayNode } from "./containers.js";
import type { GGArrayDef, GGBoundsDef } from "./def.js";
import type { JsonSchema, JsonSchemaBuilder } from "./json-schema.js";
import type { Mode, ZodCheck, ZodNode } from "./node.js";
import { GGSchema, type Opt } from "./schema.js";

const ISSUES = { min: ARRAY_MIN, max: ARRAY_MAX, range: ARRAY_RANGE };

/** Validator of arrays. */
export class GGArraySchema<T extends readonly unknown[] | null | undefined> extends GGSchema<T, GGArrayDef> {
  override get orUndefined(): GGArraySchema<T | undefined> & Opt {
    return super.orUndefined as unknown as GGArraySchema<T | undefined> & Opt;
  }

  override get orNull(): GGArraySchema<T | null> {
    return super.orNull as unknown as GGArraySchema<T | null>;
  }

  override default(value: NonNullable<T>): GGArraySchema<GGDefined<T>> {
    return super.default(value) as unknown as GGArraySchema<GGDefined<T>>;
  }

  override brand<B extends string>(name: B): GGArraySchema<GGBranded<T, B>> {
    return super.brand(name) as unknown as GGArraySchema<GGBranded<T, B>>;
  }

  minLength(min: number): this {
    return this.#bounded({ min });
  }

  maxLength(max: number): this {
    return this.#bounded({ max });
  }

  range(min: number, max: number): this {
    return this.#bounded({ min, max, range: true });
  }

  protected override build(mode: Mode, refinements: ZodCheck[]): ZodNode {
    const checks = boundChecks(this.def, ISSUES, (value: readonly unknown[]) => value.length);
    return new ArrayNode({
      type: "array",
      element: GGSchema.nodeOf(this.def.item, mode),
      checks: [...checks, ...refinements],
    });
  }

  protected override jsonSchema(builder: JsonSchemaBuilder): JsonSchema {
    const { item, min, max } = this.def;
    return {
      type: "array",
      items: builder.schema(item),
      ...(min !== undefined && { minItems: min }),
      ...(max !== undefined && { maxItems: max }),
    };
  }

  #bounded(bounds: GGBoundsDef): this {
    assertLength(...[bounds.min, bounds.max].filter((bound) => bound !== undefined));
    return this.derive(narrow(this.def, bounds));
  }
}

/** An array whose items are all valid for `item`. */
export function IsArray<S extends GGSchema<unknown>>(item: S): GGArraySchema<S["infer"][]> {
  return new GGArraySchema<S["infer"][]>({ kind: "array", item });
}
