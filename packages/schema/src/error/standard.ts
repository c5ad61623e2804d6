import { IsArray } from "../schema/array.js";
import { IsObject } from "../schema/object.js";
import { IsRecord } from "../schema/record.js";
import { IsUnknown } from "../schema/scalar.js";
import { IsString } from "../schema/string.js";
import { type ERR_CLASS, type ERR_CLASS_DATA, ERROR } from "./error.js";

// An issue about a whole value, whose path is "", is invalid here; the offending value is dropped.
const IsValidationIssue = /* @__PURE__ */ IsObject({
  path: IsString.nonEmpty,
  code: IsString.nonEmpty,
  message: IsString.nonEmpty,
  params: /* @__PURE__ */ IsRecord(IsUnknown).orUndefined,
  usedLanguage: IsString.orUndefined,
  expectedLanguage: IsString.orUndefined,
});

/** The input is not valid; `data` lists the issues. */
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

/** The caller is not authenticated. */
export const NOT_AUTHORIZED: ERR_CLASS<"NOT_AUTHORIZED"> = /* @__PURE__ */ ERROR.define("NOT_AUTHORIZED", 401);

/** The caller is authenticated but lacks the permission. */
export const FORBIDDEN: ERR_CLASS<"FORBIDDEN"> = /* @__PURE__ */ ERROR.define("FORBIDDEN", 403);

/** The request is malformed. */
export const BAD_REQUEST: ERR_CLASS<"BAD_REQUEST"> = /* @__PURE__ */ ERROR.define("BAD_REQUEST", 400);

/** The requested resource does not exist. */
export const NOT_FOUND: ERR_CLASS<"NOT_FOUND"> = /* @__PURE__ */ ERROR.define("NOT_FOUND", 404);

/** The resource to create exists already. */
export const EXISTS: ERR_CLASS<"EXISTS"> = /* @__PURE__ */ ERROR.define("EXISTS", 409);

/** There is no such method. */
export const ROUTE_NOT_FOUND: ERR_CLASS<"ROUTE_NOT_FOUND"> = /* @__PURE__ */ ERROR.define("ROUTE_NOT_FOUND", 404);

/** The server failed, not the caller. */
export const SERVER_ERROR: ERR_CLASS<"SERVER_ERROR"> = /* @__PURE__ */ ERROR.define("SERVER_ERROR", 500);

/** The message exceeds the receiver's limit. */
export const PAYLOAD_TOO_LARGE: ERR_CLASS<"PAYLOAD_TOO_LARGE"> = /* @__PURE__ */ ERROR.define("PAYLOAD_TOO_LARGE", 413);
