import { $ZodNumber } from "zod/v4/core";
import { NUMBER_INTEGER, NUMBER_MAX, NUMBER_MIN, NUMBER_MULTIPLE_OF, NUMBER_RANGE } from "../issues/rules.js";
import type { GGBranded, GGDefined, tInt, tUint } from "../types/brand.js";
import { boundChecks, narrow } from "./bounds.js";
import type { GGNumberDef } from "./def.js";
import type { JsonSchema } from "./json-schema.js";
import { check, type Mode, type ZodCheck, type ZodNode } from "./node.js";
import { GGSchema, type Opt } from "./schema.js";

const ISSUES = { min: NUMBER_MIN, max: NUMBER_MAX, range: NUMBER_RANGE };
const INTEGER = /* @__PURE__ */ check((value: number) => Number.isSafeInteger(value), NUMBER_INTEGER);

/** Validator of finite numbers. */
export class GGNumberSchema<T extends number | null | undefined = number> extends GGSchema<T, GGNumberDef> {
  override get orUndefined(): GGNumberSchema<T | undefined> & Opt {
    return super.orUndefined as unknown as GGNumberSchema<T | undefined> & Opt;
  }

  override get orNull(): GGNumberSchema<T | null> {
    return super.orNull as unknown as GGNumberSchema<T | null>;
  }

  override default(value: NonNullable<T>): GGNumberSchema<GGDefined<T>> {
    return super.default(value) as unknown as GGNumberSchema<GGDefined<T>>;
  }

  override brand<B extends string>(name: B): GGNumberSchema<GGBranded<T, B>> {
    return super.brand(name) as unknown as GGNumberSchema<GGBranded<T, B>>;
  }

  min(min: number): this {
    return this.derive(narrow(this.def, { min }));
  }

  max(max: number): this {
    return this.derive(narrow(this.def, { max }));
  }

  range(min: number, max: number): this {
    return this.derive(narrow(this.def, { min, max, range: true }));
  }

  /** Requires a multiple of `step`; coercing rounds to the nearest one. */
  multipleOf(step: number): this {
    if (!(step > 0 && Number.isFinite(step))) throw new Error(`multipleOf needs a number above 0: ${step}`);
    const current = this.def.multipleOf;
    if (current !== undefined && !isMultiple(step, current)) {
      throw new Error(`Cannot loosen multipleOf from ${current} to ${step}`);
    }
    return this.derive({ multipleOf: step });
  }

  protected override build(_mode: Mode, refinements: ZodCheck[]): ZodNode {
    const { integer, multipleOf } = this.def;
    const checks: ZodCheck[] = integer ? [INTEGER] : [];
    checks.push(...boundChecks(this.def, ISSUES, (value: number) => value));
    if (multipleOf !== undefined) {
      checks.push(check((value: number) => isMultiple(value, multipleOf), NUMBER_MULTIPLE_OF, { multipleOf }));
    }
    return new $ZodNumber({ type: "number", checks: [...checks, ...refinements] });
  }

  protected override conversion(mode: Mode): ((value: unknown) => unknown) | undefined {
    if (mode !== "coerce") return undefined;
    const step = this.def.multipleOf;
    return (value) => {
      const number = toNumber(value);
      return step !== undefined && typeof number === "number" ? roundTo(number, step) : number;
    };
  }

  protected override jsonSchema(): JsonSchema {
    const { min, max, integer, multipleOf } = this.def;
    return {
      type: integer ? "integer" : "number",
      ...(min !== undefined && { minimum: min }),
      ...(max !== undefined && { maximum: max }),
      ...(multipleOf !== undefined && { multipleOf }),
    };
  }
}

function toNumber(value: unknown): unknown {
  if (typeof value !== "string" || value.trim() === "") return value;
  const number = Number(value);
  return Number.isFinite(number) ? number : value;
}

// Steps such as 0.1 have no exact binary form: the quotient differs by a few units in the last place.
function isMultiple(value: number, step: number): boolean {
  const quotient = value / step;
  return Math.abs(quotient - Math.round(quotient)) <= 4 * Number.EPSILON * Math.max(1, Math.abs(quotient));
}

function roundTo(value: number, step: number): number {
  if (isMultiple(value, step)) return value;
  const rounded = Math.round(value / step) * step;
  // Back to the decimals of the step: 3 * 0.1 is 0.30000000000000004.
  return Number(rounded.toPrecision(15));
}

/** A finite number. */
export const IsNumber: GGNumberSchema = /* @__PURE__ */ new GGNumberSchema({ kind: "number" });

/** A whole number, within what a number holds exactly. */
export const IsInt: GGNumberSchema<tInt> = /* @__PURE__ */ new GGNumberSchema<tInt>({ kind: "number", integer: true });

/** A whole number from zero, within what a number holds exactly. */
export const IsUint: GGNumberSchema<tUint> = /* @__PURE__ */ new GGNumberSchema<tUint>({
  kind: "number",
  integer: true,
  min: 0,
});
