import { checkOptions, SERVER_OPTIONS } from "../api/optionChecks.js";
import type { SchemaEnds } from "../api/schema.js";
import { loggerOf } from "../connection/logger.js";
import { captureScope } from "../connection/node/asyncScope.js";
import { hostOf } from "./host/hostOf.js";
import { Registration } from "./registration.js";
import { noteRunning } from "./running.js";
import type { AnyConnectionHandler } from "./servedApi.js";
import { serverOf } from "./socketServer.js";

/** Serves a schema on an HTTP server: its path, its permission check, its start and its teardown. */
export const startServer: SchemaEnds["startServer"] = (schema, onConnection, config) => {
  const { name: apiName } = schema;
  const warn = (message: string) => loggerOf(config.logger, apiName, captureScope()).warn(message);
  checkOptions({ apiName, call: "the server", warn }, config, SERVER_OPTIONS);
  const host = hostOf(config.http, apiName);
  const hasResolver = !!config.permissionResolver;
  host.checkPermissions(schema, hasResolver);
  const registration = new Registration(schema, onConnection as AnyConnectionHandler, host, config);
  noteRunning(schema, registration, host);
  host.addSchema(schema, hasResolver, registration);
  return serverOf(registration);
};
