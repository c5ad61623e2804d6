import { GGIssueInvalid, type GGIssueKey, type GGIssueParams } from "./issue-key.js";

const invalid = (code: string, message: string): GGIssueKey => new GGIssueInvalid(code, message);

/** The issues that the built-in validators report. */
export const STRING_TYPE: GGIssueKey = /* @__PURE__ */ invalid("string.type", "Value must be a string");
export const STRING_NON_EMPTY: GGIssueKey = /* @__PURE__ */ invalid("string.nonEmpty", "Value must not be empty");
export const STRING_MIN: GGIssueKey = /* @__PURE__ */ invalid(
  "string.minLength",
  "Value must be at least {min} characters",
);
export const STRING_MAX: GGIssueKey = /* @__PURE__ */ invalid(
  "string.maxLength",
  "Value must be at most {max} characters",
);
export const STRING_RANGE: GGIssueKey = /* @__PURE__ */ invalid(
  "string.range",
  "Value must be between {min} and {max} characters",
);
export const STRING_PATTERN: GGIssueKey = /* @__PURE__ */ invalid(
  "string.pattern",
  "Value does not match required pattern",
);
export const NUMBER_TYPE: GGIssueKey = /* @__PURE__ */ invalid("number.type", "Value must be a number");
export const NUMBER_INTEGER: GGIssueKey = /* @__PURE__ */ invalid("number.integer", "Value must be an integer");
export const NUMBER_MIN: GGIssueKey = /* @__PURE__ */ invalid("number.min", "Value must be at least {min}");
export const NUMBER_MAX: GGIssueKey = /* @__PURE__ */ invalid("number.max", "Value must be at most {max}");
export const NUMBER_RANGE: GGIssueKey = /* @__PURE__ */ invalid(
  "number.range",
  "Value must be between {min} and {max}",
);
export const NUMBER_MULTIPLE_OF: GGIssueKey = /* @__PURE__ */ invalid(
  "number.multipleOf",
  "Value must be a multiple of {multipleOf}",
);
export const BOOLEAN_TYPE: GGIssueKey = /* @__PURE__ */ invalid("boolean.type", "Value must be a boolean");
export const LITERAL_INVALID: GGIssueKey = /* @__PURE__ */ invalid(
  "literal.invalid",
  "Value must be one of: {expected}",
);
export const OBJECT_TYPE: GGIssueKey = /* @__PURE__ */ invalid("object.type", "Value must be an object");
export const ARRAY_TYPE: GGIssueKey = /* @__PURE__ */ invalid("array.type", "Value must be an array");
export const ARRAY_MIN: GGIssueKey = /* @__PURE__ */ invalid("array.minLength", "Value must have at least {min} items");
export const ARRAY_MAX: GGIssueKey = /* @__PURE__ */ invalid("array.maxLength", "Value must have at most {max} items");
export const ARRAY_RANGE: GGIssueKey = /* @__PURE__ */ invalid(
  "array.range",
  "Value must have between {min} and {max} items",
);
export const RECORD_TYPE: GGIssueKey = /* @__PURE__ */ invalid("record.type", "Value must be a record");
export const UNION_INVALID: GGIssueKey = /* @__PURE__ */ invalid("union.invalid", "Value does not match any variant");

/** An issue key together with the params of one validator. */
export interface Rule {
  readonly key: GGIssueKey;
  readonly params?: GGIssueParams | undefined;
}
