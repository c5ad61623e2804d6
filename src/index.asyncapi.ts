/**
 * A document of AsyncAPI 3.1 from schemas: what tools, and people who do not read TypeScript, need to know of an API.
 *
 * @module asyncapi
 */
export type {
  GGAsyncApiChannel,
  GGAsyncApiContact,
  GGAsyncApiDocument,
  GGAsyncApiFrame,
  GGAsyncApiLicense,
  GGAsyncApiMessage,
  GGAsyncApiOperation,
  GGAsyncApiPermission,
  GGAsyncApiReference,
  GGAsyncApiSchema,
  GGAsyncApiSecurityScheme,
  GGAsyncApiServer,
} from "./asyncapi/document.js";
export type { GGAsyncApiInfo, GGAsyncApiSource, GGDescribedMiddleware } from "./asyncapi/info.js";
export { toAsyncApi } from "./asyncapi/toAsyncApi.js";
