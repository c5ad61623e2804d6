import type { ParsePayload } from "zod/v4/core";
import type { GGIssueKey } from "../issues/issue-key.js";
import type { GGIssuesList } from "../issues/issues-list.js";
import type { GGBranded, GGDefined } from "../types/brand.js";
import type { GGRefinement, GGSchemaDef, GGSchemaDocs } from "./def.js";
import { type JsonSchema, JsonSchemaBuilder } from "./json-schema.js";
import { check, Gate, type Mode, type ZodCheck, type ZodNode } from "./node.js";
import { Pass, sync } from "./pass.js";
import { toIssuesList } from "./translate.js";

/** What `safeParse` returns. */
export type GGParseResult<T> = { success: true; value: T } | { success: false; issues: GGIssuesList };

/** Anything that can check a value of type `T`. */
export interface GGValidator<T> {
  is(value: unknown): value is T;
  assert(value: unknown): asserts value is T;
  parse(value: unknown, coerce?: boolean): T;
  safeParse(value: unknown, coerce?: boolean): GGParseResult<T>;
}

declare const OPTIONAL: unique symbol;

/** Marks a validator whose key in an object may be absent. Exists for the compiler only. */
export interface Opt {
  readonly [OPTIONAL]: true;
}

/** A validator: an immutable value; every member of its chain returns a new one. */
export abstract class GGSchema<Type, TDef extends GGSchemaDef = GGSchemaDef> implements GGValidator<Type> {
  readonly def: TDef;
  readonly #nodes: Partial<Record<Mode, ZodNode>> = {};

  constructor(def: TDef) {
    this.def = Object.freeze(def);
    Object.freeze(this);
  }

  /** The type of the values. For the compiler only: reading it throws. */
  get infer(): Type {
    throw new Error("`infer` is a type, write `typeof Validator.infer`; it has no value");
  }

  /** Accepts undefined too. Last in a chain, it makes the key of an object optional. */
  get orUndefined(): GGSchema<Type | undefined> & Opt {
    return this.derive({ optional: true }) as unknown as GGSchema<Type | undefined> & Opt;
  }

  /** Accepts null too. */
  get orNull(): GGSchema<Type | null> {
    return this.derive({ nullable: true }) as unknown as GGSchema<Type | null>;
  }

  /** The value that replaces null and undefined when coercing. It is validated like any other. */
  default(value: NonNullable<Type>): GGSchema<GGDefined<Type>> {
    return this.derive({ default: { value } }) as unknown as GGSchema<GGDefined<Type>>;
  }

  /** Brands the type, so that another string or number is not assignable to it. No effect at run time. */
  brand<B extends string>(_name: B): GGSchema<GGBranded<Type, B>> {
    return this as unknown as GGSchema<GGBranded<Type, B>>;
  }

  /** Adds text for people and for JSON Schema. */
  docs(docs: GGSchemaDocs): this {
    return this.derive({ docs: Object.freeze({ ...this.def.docs, ...docs }) });
  }

  /** Adds a rule that a valid value must also satisfy. Only the first failed rule is reported. */
  refine(holds: (value: NonNullable<Type>) => boolean, issue: GGIssueKey): this {
    const refinement: GGRefinement = { check: holds, issue };
    return this.derive({ refinements: Object.freeze([...(this.def.refinements ?? []), refinement]) });
  }

  /** Adds a conversion that runs before validation when coercing. When it throws, the value stays as it was. */
  coerce(convert: (value: unknown) => unknown): this {
    return this.derive({ coerce: Object.freeze([...(this.def.coerce ?? []), convert]) });
  }

  /** Whether the value is valid as it is. Unknown keys are allowed. */
  is(value: unknown): value is Type {
    return run(this.#node("exact"), value, Pass.probing()).issues.length === 0;
  }

  /** Throws a GGIssuesList unless the value is valid as it is. */
  assert(value: unknown): asserts value is Type {
    const { issues } = run(this.#node("exact"), value, Pass.collecting());
    if (issues.length > 0) throw toIssuesList(issues);
  }

  /** The cleaned value; throws a GGIssuesList when it is not valid. */
  parse(value: unknown, coerce = false): Type {
    const result = this.safeParse(value, coerce);
    if (!result.success) throw result.issues;
    return result.value;
  }

  /** The cleaned value, or its first 100 issues. Objects are new, and hold the keys of the shape only. */
  safeParse(value: unknown, coerce = false): GGParseResult<Type> {
    const unchanged = coerce ? this.#takeUnchanged(value) : undefined;
    if (unchanged) return unchanged;
    const result = run(this.#node(coerce ? "coerce" : "strict"), value, Pass.collecting());
    return result.issues.length === 0
      ? { success: true, value: result.value as Type }
      : { success: false, issues: toIssuesList(result.issues) };
  }

  /** JSON Schema, draft 2020-12, of the values that this validator accepts. */
  toJSONSchema(): JsonSchema {
    return new JsonSchemaBuilder((schema, builder) => schema.jsonSchema(builder)).document(this);
  }

  /** The zod schema of the bare kind, with `checks` to run on a value of that kind. */
  protected abstract build(mode: Mode, checks: ZodCheck[]): ZodNode;

  /** JSON Schema of the bare kind: without null, default and docs. */
  protected abstract jsonSchema(builder: JsonSchemaBuilder): JsonSchema;

  /** The conversion of this kind when coercing; a value that it cannot convert comes back as it is. */
  protected conversion(_mode: Mode): ((value: unknown) => unknown) | undefined {
    return undefined;
  }

  /** The zod schema of another validator, in the same mode. */
  protected static nodeOf(schema: GGSchema<unknown>, mode: Mode): ZodNode {
    return schema.#node(mode);
  }

  /** A validator of the same class whose definition is changed by `patch`. */
  protected derive(patch: Partial<GGSchemaDef>): this {
    const Class = this.constructor as new (def: GGSchemaDef) => this;
    return new Class({ ...this.def, ...patch } as GGSchemaDef);
  }

  /** A function of its own, so that what it made of an invalid value is garbage when the value is converted. */
  #takeUnchanged(value: unknown): GGParseResult<Type> | undefined {
    const result = run(this.#node("fast"), value, Pass.probing());
    return result.issues.length === 0 ? { success: true, value: result.value as Type } : undefined;
  }

  #node(mode: Mode): ZodNode {
    const known = this.#nodes[mode];
    if (known) return known;
    const node = this.#makeNode(mode);
    this.#nodes[mode] = node;
    return node;
  }

  #makeNode(mode: Mode): ZodNode {
    const { optional = false, nullable = false, refinements = [], coerce = [] } = this.def;
    const rules = refinements.map(({ check: holds, issue }) => check(holds, issue));
    const inner = this.build(mode, rules);
    const coercing = mode === "fast" || mode === "coerce";
    const fallback = coercing ? this.def.default : undefined;
    const clean = compose(coercing ? coerce.map(ignoringThrows) : [], this.conversion(mode));
    if (!optional && !nullable && !fallback && !clean) return inner;
    return new Gate({ type: "custom", inner, optional, nullable, fallback, clean });
  }
}

function run(node: ZodNode, value: unknown, pass: Pass): ParsePayload {
  return sync(node._zod.run({ value, issues: [] }, pass));
}

type Convert = (value: unknown) => unknown;

function ignoringThrows(convert: Convert): Convert {
  return (value) => {
    try {
      return convert(value);
    } catch {
      return value;
    }
  };
}

function compose(first: readonly Convert[], last: Convert | undefined): Convert | undefined {
  const all = last ? [...first, last] : first;
  if (all.length < 2) return all[0];
  return (value) => all.reduce((current, convert) => convert(current), value);
}
