import type { $ZodRecordKey } from "zod/v4/core";
import type { Raw } from "../types/brand.js";
import { RecordNode } from "./containers.js";
import type { GGRecordDef } from "./def.js";
import type { JsonSchema, JsonSchemaBuilder } from "./json-schema.js";
import type { Mode, ZodCheck, ZodNode } from "./node.js";
import { GGSchema } from "./schema.js";
import { IsString } from "./string.js";

/** Validator of objects whose keys are data. */
export class GGRecordSchema<T> extends GGSchema<T, GGRecordDef> {
  protected override build(mode: Mode, checks: ZodCheck[]): ZodNode {
    return new RecordNode({
      type: "record",
      keyType: GGSchema.nodeOf(this.def.key, mode) as $ZodRecordKey,
      valueType: GGSchema.nodeOf(this.def.value, mode),
      checks,
    });
  }

  protected override jsonSchema(builder: JsonSchemaBuilder): JsonSchema {
    const { key, value } = this.def;
    return {
      type: "object",
      ...(key !== IsString && { propertyNames: builder.schema(key) }),
      additionalProperties: builder.schema(value),
    };
  }
}

/** The type of a record: a fixed set of keys need not be complete. */
export type GGRecordOf<K extends PropertyKey, V> = [string] extends [Raw<K>]
  ? Record<K, V>
  : [number] extends [Raw<K>]
    ? Record<K, V>
    : Partial<Record<K, V>>;

/** An object whose values, and keys if a validator for them is given first, are all valid. */
export function IsRecord<V extends GGSchema<unknown>>(value: V): GGRecordSchema<Record<string, V["infer"]>>;
export function IsRecord<K extends GGSchema<string | number>, V extends GGSchema<unknown>>(
  key: K,
  value: V,
): GGRecordSchema<GGRecordOf<K["infer"], V["infer"]>>;
export function IsRecord(first: GGSchema<unknown>, second?: GGSchema<unknown>): GGRecordSchema<unknown> {
  const [key, value] = second ? [first, second] : [IsString as GGSchema<unknown>, first];
  return new GGRecordSchema({ kind: "record", key, value });
}
