import { $ZodBoolean, $ZodLiteral, $ZodUnknown } from "zod/v4/core";
import { GGIssueKey } from "../issues/issue-key.js";
import type { GGAnyDef, GGBooleanDef, GGLiteralDef, GGLiteralValue } from "./def.js";
import type { JsonSchema } from "./json-schema.js";
import { check, type Mode, type ZodCheck, type ZodNode } from "./node.js";
import { GGSchema } from "./schema.js";

/** Validator of booleans. */
export class GGBooleanSchema extends GGSchema<boolean, GGBooleanDef> {
  protected override build(_mode: Mode, checks: ZodCheck[]): ZodNode {
    return new $ZodBoolean({ type: "boolean", checks });
  }

  protected override conversion(mode: Mode): ((value: unknown) => unknown) | undefined {
    return mode === "coerce" ? toBoolean : undefined;
  }

  protected override jsonSchema(): JsonSchema {
    return { type: "boolean" };
  }
}

function toBoolean(value: unknown): unknown {
  if (value === "true" || value === "1" || value === 1) return true;
  if (value === "false" || value === "0" || value === 0) return false;
  return value;
}

/** Validator of a fixed set of values. */
export class GGLiteralSchema<T extends GGLiteralValue> extends GGSchema<T, GGLiteralDef> {
  protected override build(_mode: Mode, checks: ZodCheck[]): ZodNode {
    return new $ZodLiteral({ type: "literal", values: [...this.def.values], checks });
  }

  protected override jsonSchema(): JsonSchema {
    const { values } = this.def;
    return values.length === 1 ? { const: values[0] } : { enum: [...values] };
  }
}

/** Validator that accepts every value except null and undefined, which its chain can allow. */
export class GGAnySchema extends GGSchema<unknown, GGAnyDef> {
  protected override build(_mode: Mode, checks: ZodCheck[]): ZodNode {
    const present = check((value) => value != null, GGIssueKey.required as GGIssueKey);
    return new $ZodUnknown({ type: "unknown", checks: [present, ...checks] });
  }

  protected override jsonSchema(): JsonSchema {
    return {};
  }
}

/** A boolean. */
export const IsBoolean: GGBooleanSchema = /* @__PURE__ */ new GGBooleanSchema({ kind: "boolean" });

/** Any value except null and undefined, passed through unchanged. */
export const IsAny: GGAnySchema = /* @__PURE__ */ new GGAnySchema({ kind: "any" });

/** Any value except null and undefined, passed through unchanged. */
export const IsUnknown: GGAnySchema = /* @__PURE__ */ new GGAnySchema({ kind: "unknown" });

/** One of the given values. */
export function IsLiteral<const T extends readonly [GGLiteralValue, ...GGLiteralValue[]]>(
  ...values: T
): GGLiteralSchema<T[number]> {
  return new GGLiteralSchema<T[number]>({ kind: "literal", values: Object.freeze([...values]) });
}

/** One of the values of a TypeScript enum, a constant object, or a list. */
export function IsEnum<const T extends readonly (string | number)[] | Readonly<Record<string, string | number>>>(
  values: T,
): GGLiteralSchema<GGEnumValue<T>> {
  const list = Array.isArray(values) ? values : enumValues(values as Readonly<Record<string, string | number>>);
  if (list.length === 0) throw new Error("IsEnum needs at least one value");
  return new GGLiteralSchema<GGEnumValue<T>>({ kind: "literal", values: Object.freeze([...list]) });
}

/** The values of an enum object or a list. */
export type GGEnumValue<T> = T extends readonly (infer V extends string | number)[]
  ? V
  : T[keyof T] extends infer V extends string | number
    ? V
    : never;

// A numeric enum also maps each number back to its name: those entries are not values.
function enumValues(values: Readonly<Record<string, string | number>>): (string | number)[] {
  return Object.entries(values)
    .filter(([name, value]) => !(typeof value === "string" && values[value] === Number(name)))
    .map(([, value]) => value);
}
