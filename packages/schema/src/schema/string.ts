import { $ZodString } from "zod/v4/core";
import type { GGIssueKey } from "../issues/issue-key.js";
import { STRING_MAX, STRING_MIN, STRING_NON_EMPTY, STRING_PATTERN, STRING_RANGE } from "../issues/rules.js";
import type { GGBranded, GGDefined } from "../types/brand.js";
import { assertLength, boundChecks, narrow } from "./bounds.js";
import type { GGBoundsDef, GGStringDef } from "./def.js";
import type { JsonSchema } from "./json-schema.js";
import { check, type Mode, rawCheck, type ZodCheck, type ZodNode } from "./node.js";
import { GGSchema, type Opt } from "./schema.js";

const ISSUES = { min: STRING_MIN, max: STRING_MAX, range: STRING_RANGE };
const NON_EMPTY = /* @__PURE__ */ check((value: string) => value.length > 0, STRING_NON_EMPTY);
const TRIM = /* @__PURE__ */ rawCheck<string>((payload) => {
  payload.value = payload.value.trim();
});

/** Validator of strings. */
export class GGStringSchema<T extends string | null | undefined = string> extends GGSchema<T, GGStringDef> {
  override get orUndefined(): GGStringSchema<T | undefined> & Opt {
    return super.orUndefined as unknown as GGStringSchema<T | undefined> & Opt;
  }

  override get orNull(): GGStringSchema<T | null> {
    return super.orNull as unknown as GGStringSchema<T | null>;
  }

  override default(value: NonNullable<T>): GGStringSchema<GGDefined<T>> {
    return super.default(value) as unknown as GGStringSchema<GGDefined<T>>;
  }

  override brand<B extends string>(name: B): GGStringSchema<GGBranded<T, B>> {
    return super.brand(name) as unknown as GGStringSchema<GGBranded<T, B>>;
  }

  /** Rejects the empty string. */
  get nonEmpty(): this {
    return this.derive({ nonEmpty: true });
  }

  /** Removes white space at both ends before the other rules. */
  get trim(): this {
    return this.derive({ trim: true });
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

  /** Requires a match with `regex`; `issue` replaces the default issue. */
  regex(regex: RegExp, issue: GGIssueKey = STRING_PATTERN): this {
    return this.derive({ patterns: Object.freeze([...(this.def.patterns ?? []), { regex, issue }]) });
  }

  protected override build(mode: Mode, refinements: ZodCheck[]): ZodNode {
    const { nonEmpty, trim, patterns = [] } = this.def;
    const checks: ZodCheck[] = [];
    if (trim && mode !== "exact") checks.push(TRIM);
    if (nonEmpty) checks.push(NON_EMPTY);
    checks.push(...boundChecks(this.def, ISSUES, (value: string) => value.length));
    for (const { regex, issue } of patterns) {
      // Without the g and y flags, with which a match would start at the `lastIndex` of the previous one.
      const stateless = new RegExp(regex.source, regex.flags.replace(/[gy]/g, ""));
      checks.push(check((value: string) => stateless.test(value), issue));
    }
    return new $ZodString({ type: "string", checks: [...checks, ...refinements] });
  }

  protected override conversion(mode: Mode): ((value: unknown) => unknown) | undefined {
    return mode === "coerce" ? toText : undefined;
  }

  protected override jsonSchema(): JsonSchema {
    const { min, max, nonEmpty, patterns = [] } = this.def;
    const minLength = nonEmpty ? Math.max(1, min ?? 0) : min;
    const [first, ...rest] = patterns.map(({ regex }) => regex.source);
    return {
      type: "string",
      ...(minLength !== undefined && { minLength }),
      ...(max !== undefined && { maxLength: max }),
      ...(first !== undefined && { pattern: first }),
      ...(rest.length > 0 && { allOf: rest.map((pattern) => ({ pattern })) }),
    };
  }

  #bounded(bounds: GGBoundsDef): this {
    assertLength(...[bounds.min, bounds.max].filter((bound) => bound !== undefined));
    return this.derive(narrow(this.def, bounds));
  }
}

function toText(value: unknown): unknown {
  return typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value)) ? String(value) : value;
}

/** A string. */
export const IsString: GGStringSchema = /* @__PURE__ */ new GGStringSchema({ kind: "string" });
