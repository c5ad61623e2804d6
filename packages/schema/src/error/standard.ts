import { IsArray } from "../schema/array.js";
import { IsObject } from "../schema/object.js";
import { IsRecord } from "../schema/record.js";
import { IsUnknown } from "../schema/scalar.js";
import { IsString } from "../schema/string.js";
import { type ERR_CLASS, type ERR_CLASS_DATA, ERROR } from "./error.js";

// An issue about a whole value, whose path is "", does not pass; and the value itself is not carried over.
const IsValidationIssue = /* @__PURE__ */ IsObject({
  path: IsString.nonEmpty,
  code: IsString.nonEmpty,
  message: IsString.nonEmpty,
  params: /* @__PURE__ */ IsRecord(IsUnknown).orUndefined,
  usedLanguage: IsString.orUndefined,
  expectedLanguage: IsString.orUndefined,
});

/** The input is not valid; `data` says where and why. */
export const VALIDATION_ERROR: ERR_CLASS_DATA<
  "VALIDATION_ERROR",
  {
    path: string;
    code: string;
    message: string;
    params?: Record<string, unknown>;
    usedLanguage?: string;
    expectedLanguage?: string;
  }[]
> = /* @__PURE__ */ ERROR.define("VALIDATION_ERROR", 422, IsArray(IsValidationIssue));

/** The caller has not said who they are, or not convincingly. */
export const NOT_AUTHORIZED: ERR_CLASS<"NOT_AUTHORIZED"> = /* @__PURE__ */ ERROR.define("NOT_AUTHORIZED", 401);

/** The caller is known and may not do this. */
export const FORBIDDEN: ERR_CLASS<"FORBIDDEN"> = /* @__PURE__ */ ERROR.define("FORBIDDEN", 403);

/** The request makes no sense. */
export const BAD_REQUEST: ERR_CLASS<"BAD_REQUEST"> = /* @__PURE__ */ ERROR.define("BAD_REQUEST", 400);

/** What was asked for does not exist. */
export const NOT_FOUND: ERR_CLASS<"NOT_FOUND"> = /* @__PURE__ */ ERROR.define("NOT_FOUND", 404);

/** What was to be created exists already. */
export const EXISTS: ERR_CLASS<"EXISTS"> = /* @__PURE__ */ ERROR.define("EXISTS", 409);

/** There is no such method. */
export const ROUTE_NOT_FOUND: ERR_CLASS<"ROUTE_NOT_FOUND"> = /* @__PURE__ */ ERROR.define("ROUTE_NOT_FOUND", 404);

/** Something went wrong that is not the caller's doing. */
export const SERVER_ERROR: ERR_CLASS<"SERVER_ERROR"> = /* @__PURE__ */ ERROR.define("SERVER_ERROR", 500);

/** The message is larger than the receiver takes. */
export const PAYLOAD_TOO_LARGE: ERR_CLASS<"PAYLOAD_TOO_LARGE"> = /* @__PURE__ */ ERROR.define("PAYLOAD_TOO_LARGE", 413);
