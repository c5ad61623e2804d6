import type { ValidationIssueJson } from "../issues/issues-list.js";
import { IsArray } from "../schema/array.js";
import { IsObject } from "../schema/object.js";
import { IsRecord } from "../schema/record.js";
import { IsUnknown } from "../schema/scalar.js";
import type { GGSchema } from "../schema/schema.js";
import { IsString } from "../schema/string.js";
import { ERROR, type GGDataErrorClass, type GGErrorClass } from "./error.js";

// An issue at the root of a value has the path "", so the path may be empty. The value itself is not carried over.
const IsValidationIssue = /* @__PURE__ */ IsObject({
  path: IsString,
  code: IsString.nonEmpty,
  message: IsString.nonEmpty,
  params: /* @__PURE__ */ IsRecord(IsUnknown).orUndefined,
  usedLanguage: IsString.orUndefined,
  expectedLanguage: IsString.orUndefined,
});

const IsValidationIssues: GGSchema<ValidationIssueJson[]> = /* @__PURE__ */ IsArray(IsValidationIssue);

/** The input is not valid; `data` says where and why. */
export const VALIDATION_ERROR: GGDataErrorClass<"VALIDATION_ERROR", ValidationIssueJson[]> =
  /* @__PURE__ */ ERROR.define("VALIDATION_ERROR", 422, IsValidationIssues);
export type VALIDATION_ERROR = InstanceType<typeof VALIDATION_ERROR>;

/** The caller has not said who they are, or not convincingly. */
export const NOT_AUTHORIZED: GGErrorClass<"NOT_AUTHORIZED"> = /* @__PURE__ */ ERROR.define("NOT_AUTHORIZED", 401);
export type NOT_AUTHORIZED = InstanceType<typeof NOT_AUTHORIZED>;

/** The caller is known and may not do this. */
export const FORBIDDEN: GGErrorClass<"FORBIDDEN"> = /* @__PURE__ */ ERROR.define("FORBIDDEN", 403);
export type FORBIDDEN = InstanceType<typeof FORBIDDEN>;

/** The request makes no sense. */
export const BAD_REQUEST: GGErrorClass<"BAD_REQUEST"> = /* @__PURE__ */ ERROR.define("BAD_REQUEST", 400);
export type BAD_REQUEST = InstanceType<typeof BAD_REQUEST>;

/** What was asked for does not exist. */
export const NOT_FOUND: GGErrorClass<"NOT_FOUND"> = /* @__PURE__ */ ERROR.define("NOT_FOUND", 404);
export type NOT_FOUND = InstanceType<typeof NOT_FOUND>;

/** What was to be created exists already. */
export const EXISTS: GGErrorClass<"EXISTS"> = /* @__PURE__ */ ERROR.define("EXISTS", 409);
export type EXISTS = InstanceType<typeof EXISTS>;

/** There is no such method. */
export const ROUTE_NOT_FOUND: GGErrorClass<"ROUTE_NOT_FOUND"> = /* @__PURE__ */ ERROR.define("ROUTE_NOT_FOUND", 404);
export type ROUTE_NOT_FOUND = InstanceType<typeof ROUTE_NOT_FOUND>;

/** Something went wrong that is not the caller's doing. */
export const SERVER_ERROR: GGErrorClass<"SERVER_ERROR"> = /* @__PURE__ */ ERROR.define("SERVER_ERROR", 500);
export type SERVER_ERROR = InstanceType<typeof SERVER_ERROR>;

/** The message is larger than the receiver takes. */
export const PAYLOAD_TOO_LARGE: GGErrorClass<"PAYLOAD_TOO_LARGE"> = /* @__PURE__ */ ERROR.define(
  "PAYLOAD_TOO_LARGE",
  413,
);
export type PAYLOAD_TOO_LARGE = InstanceType<typeof PAYLOAD_TOO_LARGE>;
