import type { GGIssueKey } from "../issues/issue-key.js";
import type { GGSchema } from "./schema.js";

/** Text about a validator for people and for JSON Schema. */
export interface GGSchemaDocs {
  readonly title?: string;
  readonly description?: string;
  readonly example?: unknown;
  readonly examples?: readonly unknown[];
  readonly deprecated?: boolean;
}

/** A rule beyond the built-in ones. */
export interface GGRefinement {
  readonly check: (value: never) => boolean;
  readonly issue: GGIssueKey;
}

/** What every validator can carry. */
export interface GGCommonDef {
  readonly optional?: boolean;
  readonly nullable?: boolean;
  readonly default?: { readonly value: unknown };
  readonly coerce?: readonly ((value: unknown) => unknown)[];
  readonly refinements?: readonly GGRefinement[];
  readonly docs?: GGSchemaDocs;
}

/** Bounds of a length or a number; `range` says that both came from one `range()` call. */
export interface GGBoundsDef {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly range?: boolean;
}

/** A value that a literal validator can stand for. */
export type GGLiteralValue = string | number | boolean;

export interface GGStringDef extends GGCommonDef, GGBoundsDef {
  readonly kind: "string";
  readonly nonEmpty?: boolean;
  readonly trim?: boolean;
  readonly patterns?: readonly { readonly regex: RegExp; readonly issue: GGIssueKey }[];
}

export interface GGNumberDef extends GGCommonDef, GGBoundsDef {
  readonly kind: "number";
  readonly integer?: boolean;
  readonly multipleOf?: number;
}

export interface GGBooleanDef extends GGCommonDef {
  readonly kind: "boolean";
}

export interface GGLiteralDef extends GGCommonDef {
  readonly kind: "literal";
  readonly values: readonly GGLiteralValue[];
}

export interface GGAnyDef extends GGCommonDef {
  readonly kind: "any" | "unknown";
}

export interface GGArrayDef extends GGCommonDef, GGBoundsDef {
  readonly kind: "array";
  readonly item: GGSchema<unknown>;
}

export interface GGRecordDef extends GGCommonDef {
  readonly kind: "record";
  readonly key: GGSchema<unknown>;
  readonly value: GGSchema<unknown>;
}

export interface GGUnionDef extends GGCommonDef {
  readonly kind: "union";
  readonly options: readonly GGSchema<unknown>[];
}

/** Fields of an object: validators, or literal values that stand for `IsLiteral`. */
export type GGShape = { readonly [key: string]: GGSchema<unknown> | GGLiteralValue };

export interface GGObjectDef extends GGCommonDef {
  readonly kind: "object";
  readonly shape: GGShape | (() => GGShape);
}

/** The data behind a validator: what it accepts, as plain frozen values. */
export type GGSchemaDef =
  | GGStringDef
  | GGNumberDef
  | GGBooleanDef
  | GGLiteralDef
  | GGAnyDef
  | GGArrayDef
  | GGRecordDef
  | GGUnionDef
  | GGObjectDef;
