import { expect, it } from "vitest";
import * as schema from "../src/index.js";

it("offers these values, and no others", () => {
  expect(Object.keys(schema).sort().join(" ")).toBe(
    [
      "BAD_REQUEST ERROR EXISTS FORBIDDEN",
      "GGAnySchema GGArraySchema GGBooleanSchema GGContractClass GGContractExecutor GGIssueInvalid GGIssueKey",
      "GGIssuesList GGLiteralSchema GGNumberSchema GGObjectSchema GGPermissionChecker GGPromise GGRecordSchema",
      "GGSchema GGStringSchema GGUnionSchema GG_ANY_PERMISSION GG_NO_PERMISSIONS",
      "IsAny IsArray IsBoolean IsEnum IsInt IsLiteral IsNumber IsObject IsRecord IsString IsUint IsUnion IsUnknown",
      "NOT_AUTHORIZED NOT_FOUND OK PAYLOAD_TOO_LARGE ROUTE_NOT_FOUND SERVER_ERROR VALIDATION_ERROR",
      "describePermission satisfies",
    ].join(" "),
  );
});

it("its classes have the published public members only", () => {
  const members = (of: object) =>
    Object.getOwnPropertyNames(of)
      .filter((name) => name !== "constructor")
      .sort();
  expect(members(schema.GGIssueKey.prototype)).toEqual(["add"]);
  expect(members(schema.GGIssueKey)).toEqual(["length", "name", "prototype", "required", "setLocalizer"]);
  expect(members(schema.GGPromise.prototype)).toEqual(
    ["asResult", "catch", "finally", "map", "or", "orDefault", "then"].sort(),
  );
  expect(members(schema.GGContractClass.prototype)).toEqual(["implement"]);
  expect("fields" in schema.IsObject({})).toBe(false);
});
