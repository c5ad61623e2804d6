import {
  $constructor,
  $ZodArray,
  type $ZodArrayDef,
  type $ZodRawIssue,
  $ZodRecord,
  type $ZodRecordDef,
  type $ZodType,
  $ZodUnion,
  type $ZodUnionDef,
  type ParsePayload,
  regexes,
  util,
} from "zod/v4/core";
import { type Pass, sync, type Variants } from "./pass.js";

// zod's own collect every issue of every element, and build a tree of them for each union: these stop at the bound.

/** Adds the issues of a member to those of its container. Returns whether to stop. */
function take(payload: ParsePayload, key: PropertyKey, issues: $ZodRawIssue[], pass: Pass, before: number): boolean {
  payload.issues.push(...util.prefixIssues(key, issues));
  return pass.foundIssues(before + payload.issues.length);
}

/** An array. */
export const ArrayNode = /* @__PURE__ */ $constructor<$ZodArray>("GGArray", (inst, def: $ZodArrayDef) => {
  $ZodArray.init(inst, def);
  inst._zod.parse = (payload, ctx) => {
    const input: unknown = payload.value;
    if (!Array.isArray(input)) {
      payload.issues.push({ code: "invalid_type", expected: "array", input, inst });
      return payload;
    }
    const pass = ctx as Pass;
    const before = pass.found;
    const output: unknown[] = [];
    payload.value = output;
    for (let i = 0; i < input.length; i++) {
      const { value, issues } = sync(def.element._zod.run({ value: input[i], issues: [] }, ctx));
      output.push(value);
      if (issues.length > 0 && take(payload, i, issues, pass, before)) break;
    }
    return payload;
  };
});

/** An object whose keys are data. */
export const RecordNode = /* @__PURE__ */ $constructor<$ZodRecord>("GGRecord", (inst, def: $ZodRecordDef) => {
  $ZodRecord.init(inst, def);
  inst._zod.parse = (payload, ctx) => {
    const input: unknown = payload.value;
    if (!util.isPlainObject(input)) {
      payload.issues.push({ code: "invalid_type", expected: "record", input, inst });
      return payload;
    }
    const pass = ctx as Pass;
    const before = pass.found;
    const output: Record<PropertyKey, unknown> = {};
    payload.value = output;
    for (const key of Reflect.ownKeys(input)) {
      if (key === "__proto__" || !Object.prototype.propertyIsEnumerable.call(input, key)) continue;
      const { value: outKey, issues: keyIssues } = readKey(def.keyType, key, pass.probe);
      if (keyIssues.length > 0) {
        const issue = { code: "invalid_key", origin: "record", issues: keyIssues, input: key, inst } as const;
        if (take(payload, key, [issue as unknown as $ZodRawIssue], pass, before)) break;
        continue;
      }
      // A validator of keys may have made it of an ordinary one.
      if (outKey === "__proto__") continue;
      const { value, issues } = sync(def.valueType._zod.run({ value: input[key as string], issues: [] }, ctx));
      output[outKey as string] = value;
      if (issues.length > 0 && take(payload, key, issues, pass, before)) break;
    }
    return payload;
  };
});

/** A key, as what it is or, where that is not valid, as the number that it spells. */
function readKey(keyType: $ZodType, key: PropertyKey, pass: Pass): ParsePayload {
  const asItIs = sync(keyType._zod.run({ value: key, issues: [] }, pass));
  if (asItIs.issues.length === 0 || typeof key !== "string" || !regexes.number.test(key)) return asItIs;
  const asNumber = sync(keyType._zod.run({ value: Number(key), issues: [] }, pass));
  return asNumber.issues.length === 0 ? asNumber : asItIs;
}

interface UnionDef extends $ZodUnionDef {
  /** The options in groups: one is only tried when no earlier one takes the value. */
  readonly attempts: readonly Variants[];
}

/** One of several variants. That none takes a value is one issue, whatever the variants would say. */
export const UnionNode = /* @__PURE__ */ $constructor<$ZodUnion, UnionDef>("GGUnion", (inst, def) => {
  $ZodUnion.init(inst, def);
  const { options, attempts } = def;
  const [first] = options;
  inst._zod.parse = (payload, ctx) => {
    if (first && options.length === 1) return (first as $ZodType)._zod.run(payload, ctx);
    for (const variants of attempts) {
      const outcome = (ctx as Pass).probe.outcomeOf(variants, payload.value);
      if (outcome === "no variant") continue;
      payload.value = outcome.value;
      return payload;
    }
    payload.issues.push({ code: "invalid_union", input: payload.value, inst, errors: [] });
    return payload;
  };
});
