import { claimOnce } from "./single-copy.js";

export { GGContractClass } from "./contract/contract.js";
export { GGContractExecutor } from "./contract/executor.js";
export type {
  GGContractClient,
  GGContractImplementation,
  GGContractMethod,
  GGContractMethods,
} from "./contract/types.js";
export { type ERR_CLASS, type ERR_CLASS_DATA, ERROR, type ERROR_CLASS, type ERROR_JSON } from "./error/error.js";
export {
  BAD_REQUEST,
  EXISTS,
  FORBIDDEN,
  NOT_AUTHORIZED,
  NOT_FOUND,
  PAYLOAD_TOO_LARGE,
  ROUTE_NOT_FOUND,
  SERVER_ERROR,
  VALIDATION_ERROR,
} from "./error/standard.js";
export { GGIssueInvalid, GGIssueKey } from "./issues/issue-key.js";
export { GGIssuesList, type ValidationIssueJson } from "./issues/issues-list.js";
export {
  describePermission,
  GG_ANY_PERMISSION,
  GG_NO_PERMISSIONS,
  type GGPermission,
  GGPermissionChecker,
  satisfies,
} from "./permission/permission.js";
export { OK, type OK_JSON } from "./result/ok.js";
export { GGPromise } from "./result/promise.js";
export { GGArraySchema, IsArray } from "./schema/array.js";
export type { GGLiteralValue, GGSchemaDef, GGSchemaDocs, GGShape } from "./schema/def.js";
export type { JsonSchema } from "./schema/json-schema.js";
export { GGNumberSchema, IsInt, IsNumber, IsUint } from "./schema/number.js";
export { type GGFieldType, GGObjectSchema, type GGShapeType, IsObject } from "./schema/object.js";
export { GGRecordSchema, IsRecord } from "./schema/record.js";
export {
  GGAnySchema,
  GGBooleanSchema,
  GGLiteralSchema,
  IsAny,
  IsBoolean,
  IsEnum,
  IsLiteral,
  IsUnknown,
} from "./schema/scalar.js";
export { type GGParseResult, GGSchema, type GGValidator, type Opt } from "./schema/schema.js";
export { GGStringSchema, IsString } from "./schema/string.js";
export { GGUnionSchema, IsUnion } from "./schema/union.js";
export type { GGBrand, GGBranded, int, Raw, tInt, tUint, uint } from "./types/brand.js";

claimOnce("@grest-ts/schema");
