import { $ZodObject, $ZodObjectJIT } from "zod/v4/core";
import type { GGBranded, GGDefined } from "../types/brand.js";
import type { GGLiteralValue, GGObjectDef, GGShape } from "./def.js";
import type { JsonSchema, JsonSchemaBuilder } from "./json-schema.js";
import type { Mode, ZodCheck, ZodNode } from "./node.js";
import { ownPropertiesFor } from "./own-properties.js";
import { IsLiteral } from "./scalar.js";
import { GGSchema, type Opt } from "./schema.js";

// A page's CSP may forbid `eval`; zod's probe for that would log an error in the page's console.
const ZodObject = typeof document === "undefined" ? $ZodObjectJIT : $ZodObject;

/** The type of one field of a shape. */
export type GGFieldType<F> = F extends { readonly infer: infer T } ? T : F extends GGLiteralValue ? F : never;

// With `& {}` editors show the members, not this alias.
type Flat<T> = { [K in keyof T]: T[K] } & {};

/** The type of the objects of a shape. */
export type GGShapeType<S> = Flat<
  { -readonly [K in keyof S as S[K] extends Opt ? never : K]: GGFieldType<S[K]> } & {
    -readonly [K in keyof S as S[K] extends Opt ? K : never]?: GGFieldType<S[K]>;
  }
>;

type Fields = Readonly<Record<string, GGSchema<unknown>>>;

// A lazy shape runs once for all validators derived from it.
const resolved = /* @__PURE__ */ new WeakMap<GGObjectDef["shape"], Fields>();

/** Validator of objects with known keys. */
export class GGObjectSchema<S extends GGShape, T = GGShapeType<S>> extends GGSchema<T, GGObjectDef> {
  override get orUndefined(): GGObjectSchema<S, T | undefined> & Opt {
    return super.orUndefined as unknown as GGObjectSchema<S, T | undefined> & Opt;
  }

  override get orNull(): GGObjectSchema<S, T | null> {
    return super.orNull as unknown as GGObjectSchema<S, T | null>;
  }

  override default(value: NonNullable<T>): GGObjectSchema<S, GGDefined<T>> {
    return super.default(value) as unknown as GGObjectSchema<S, GGDefined<T>>;
  }

  override brand<B extends string>(name: B): GGObjectSchema<S, GGBranded<T, B>> {
    return super.brand(name) as unknown as GGObjectSchema<S, GGBranded<T, B>>;
  }

  /** This object with more fields; one of the same name is replaced. */
  extend<const E extends GGShape>(shape: E): GGObjectSchema<Omit<S, keyof E> & E> {
    return this.#with(() => ({ ...fieldsOf(this.def.shape), ...fieldsOf(shape) }));
  }

  /** This object with the fields of another; one of the same name is the other's. */
  merge<E extends GGShape, U>(other: GGObjectSchema<E, U>): GGObjectSchema<Omit<S, keyof E> & E> {
    return this.#with(() => ({ ...fieldsOf(this.def.shape), ...fieldsOf(other.def.shape) }));
  }

  /** The named fields only. */
  pick<K extends keyof S & string>(...keys: K[]): GGObjectSchema<Pick<S, K>> {
    return this.#with(() =>
      Object.fromEntries(Object.entries(fieldsOf(this.def.shape)).filter(([key]) => keys.includes(key as K))),
    );
  }

  /** All fields but the named ones. */
  omit<K extends keyof S & string>(...keys: K[]): GGObjectSchema<Omit<S, K>> {
    return this.#with(() =>
      Object.fromEntries(Object.entries(fieldsOf(this.def.shape)).filter(([key]) => !keys.includes(key as K))),
    );
  }

  protected override build(mode: Mode, checks: ZodCheck[]): ZodNode {
    const { def } = this;
    let shape: Record<string, ZodNode> | undefined;
    return new ZodObject({
      type: "object",
      // Read at the first parse, not here: a validator may be a field of itself.
      get shape() {
        shape ??= Object.fromEntries(
          Object.entries(fieldsOf(def.shape)).map(([key, field]) => [key, GGSchema.nodeOf(field, mode)]),
        );
        return shape;
      },
      checks,
    });
  }

  protected override conversion(): (value: unknown) => unknown {
    return ownPropertiesFor(() => Object.keys(fieldsOf(this.def.shape)));
  }

  protected override jsonSchema(builder: JsonSchemaBuilder): JsonSchema {
    const fields = Object.entries(fieldsOf(this.def.shape));
    const required = fields.filter(([, { def }]) => !def.optional && !def.default).map(([key]) => key);
    return {
      type: "object",
      properties: Object.fromEntries(fields.map(([key, field]) => [key, builder.schema(field)])),
      ...(required.length > 0 && { required }),
    };
  }

  // Refinements and conversions belong to the old shape and are dropped.
  #with<E extends GGShape>(shape: () => GGShape): GGObjectSchema<E> {
    const lazy = typeof this.def.shape === "function";
    return new GGObjectSchema<E>({ kind: "object", shape: lazy ? shape : shape() });
  }
}

function fieldsOf(shape: GGObjectDef["shape"]): Fields {
  const known = resolved.get(shape);
  if (known) return known;
  const fields: Record<string, GGSchema<unknown>> = {};
  for (const [key, field] of Object.entries(typeof shape === "function" ? shape() : shape)) {
    if (key === "__proto__") throw new Error("An object cannot have a field named __proto__");
    fields[key] = field instanceof GGSchema ? field : literalField(key, field);
  }
  resolved.set(shape, Object.freeze(fields));
  return fields;
}

function literalField(key: string, value: GGLiteralValue): GGSchema<unknown> {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return IsLiteral(value);
  // Often an import that is still undefined in an import cycle; a lazy shape solves that.
  throw new Error(`Field "${key}" is neither a validator nor a literal value`);
}

/** An object with the given fields; other keys are dropped. A function gives the fields of a recursive validator. */
export function IsObject<const S extends GGShape>(shape: S | (() => S)): GGObjectSchema<S> {
  if (typeof shape !== "function") fieldsOf(shape);
  return new GGObjectSchema<S>({ kind: "object", shape: typeof shape === "function" ? shape : { ...shape } });
}
