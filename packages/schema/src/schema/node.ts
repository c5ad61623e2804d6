import {
  $constructor,
  type $ZodCheck,
  $ZodType,
  type $ZodTypeDef,
  type $ZodTypeInternals,
  type ParsePayload,
} from "zod/v4/core";
import type { GGIssueKey, GGIssueParams } from "../issues/issue-key.js";
import type { Rule } from "../issues/rules.js";
import { type Pass, sync } from "./pass.js";

/** The zod schema of a validator. */
export type ZodNode = $ZodType;

/** A check in zod's form. */
export type ZodCheck = $ZodCheck<unknown>;

/**
 * How a validator reads its input. Each mode is its own zod schema, built when it is first needed.
 * - exact: the value as it is (`is`, `assert`);
 * - strict: trims (`coerce = false`);
 * - fast: trims, applies defaults and the user's own coercions; no conversion between primitive types.
 *   It is tried before `coerce`, because well-formed messages pass it, with the same result;
 * - coerce: everything (`coerce = true`).
 */
export type Mode = "exact" | "strict" | "fast" | "coerce";

/** Reports that a rule does not hold; nothing further is checked on the same value. */
export function fail(payload: ParsePayload, key: GGIssueKey, params?: GGIssueParams): void {
  const rule: Rule = { key, params };
  payload.issues.push({ code: "custom", input: payload.value, params: { rule }, continue: false });
}

/** A check that rejects a value for which `holds` is false. */
export function check<T>(holds: (value: T) => boolean, key: GGIssueKey, params?: GGIssueParams): ZodCheck {
  return rawCheck<T>((payload) => {
    if (!holds(payload.value)) fail(payload, key, params);
  });
}

/** A check that may also replace the value. */
export function rawCheck<T>(run: (payload: ParsePayload<T>) => void): ZodCheck {
  return { _zod: { check: run, def: { check: "custom" }, onattach: [] } } as ZodCheck;
}

interface GateDef extends $ZodTypeDef {
  readonly inner: ZodNode;
  readonly optional: boolean;
  readonly nullable: boolean;
  readonly fallback: { readonly value: unknown } | undefined;
  readonly clean: ((value: unknown) => unknown) | undefined;
}

interface GateInternals extends $ZodTypeInternals {
  def: GateDef;
}

interface Gate extends $ZodType<unknown, unknown, GateInternals> {}

/** Runs ahead of a schema: default for a missing value, then null and undefined, then cleaning, then the schema. */
export const Gate = /* @__PURE__ */ $constructor<Gate>("GGGate", (inst, def) => {
  $ZodType.init(inst, def);
  const { inner, optional, nullable, fallback, clean } = def;
  // Declares to an enclosing object whether the key may be absent.
  inst._zod.optin = fallback ? "defaulted" : optional ? "optional" : undefined;
  inst._zod.optout = !fallback && optional ? "optional" : undefined;
  inst._zod.parse = (payload, ctx) => {
    let value = payload.value;
    if (value == null) {
      if (fallback) value = payload.value = fallback.value;
      if (value === null ? nullable : value === undefined && optional) return payload;
    }
    // The inner schema reports a null that reaches it, as "required".
    if (clean && value != null) payload.value = clean(value);
    const pass = ctx as Pass;
    const before = pass.found;
    const result = sync(inner._zod.run(payload, ctx));
    if (result.issues.length > 0) pass.foundIssues(before + result.issues.length);
    return result;
  };
});
