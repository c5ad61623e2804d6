import { GG_HTTP_SERVER, type GGHttpServer } from "@grest-ts/http";
import { checkOptions, SERVER_OPTIONS } from "../api/optionChecks.js";
import type { SchemaEnds } from "../api/schema.js";
import { loggerOf } from "../connection/logger.js";
import { captureScope } from "../connection/node/asyncScope.js";
import { checkLateRegistration } from "./lateRegistration.js";
import { Registration } from "./registration.js";
import { noteRunning } from "./running.js";
import type { AnyConnectionHandler } from "./servedApi.js";
import { serverOf } from "./socketServer.js";

/** Serves a schema on an HTTP server: its path, its permission check, its start and its teardown. */
export const startServer: SchemaEnds["startServer"] = (schema, onConnection, config) => {
  const { name: apiName } = schema;
  const warn = (message: string) => loggerOf(config.logger, apiName, captureScope()).warn(message);
  checkOptions({ apiName, call: "the server", warn }, config, SERVER_OPTIONS);
  const http = config.http ?? defaultServer(apiName);
  if (http.port !== undefined) checkLateRegistration(schema, http, !!config.permissionResolver);
  const registration = new Registration(schema, onConnection as AnyConnectionHandler, http, config);
  noteRunning(schema, registration, http);
  http._registerWebSocketSchema(schema);
  if (config.permissionResolver) http._markResolverWired(schema);
  return serverOf(registration);
};

function defaultServer(apiName: string): GGHttpServer {
  const http = GG_HTTP_SERVER.has() ? GG_HTTP_SERVER.get() : undefined;
  if (http) return http;
  throw new Error(`${apiName}: there is no HTTP server to listen on. Make a GGHttpServer first, or pass one as {http}`);
}
