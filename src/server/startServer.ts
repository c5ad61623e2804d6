import { GG_DISCOVERY } from "@grest-ts/discovery";
import { GG_HTTP_SERVER, type GGHttpServer } from "@grest-ts/http";
import type { SchemaEnds } from "../contract/schema.js";
import { WsTransport } from "../transport/ws.js";
import { acceptConnection } from "./acceptConnection.js";
import { type AnyConnectionHandler, Registration } from "./registration.js";
import { upgradesOf } from "./upgrades.js";

/** Serves a schema on an HTTP server: its path, its permission check, its start and its teardown. */
export const startServer: SchemaEnds["startServer"] = (schema, onConnection, config) => {
  const http = config.http ?? defaultServer(schema.name);
  const registration = new Registration(schema, onConnection as AnyConnectionHandler, http, config);
  const { path, apiName } = registration;
  const upgrades = upgradesOf(http.httpServer);
  upgrades.add(path, {
    apiName,
    leavesUnknownPaths: config.unknownPaths === "leave",
    accept: (ws, query) => acceptConnection(registration, new WsTransport(ws), query),
  });
  http._registerWebSocketSchema(schema);
  if (config.permissionResolver) http._markResolverWired(schema);
  http.onStart(() => announce(apiName, path, http));
  http.onTeardown(() => {
    upgrades.remove(path);
    return registration.teardown();
  });
  return registration;
};

function defaultServer(apiName: string): GGHttpServer {
  const http = GG_HTTP_SERVER.tryGet();
  if (http) return http;
  throw new Error(`${apiName}: there is no HTTP server to listen on. Make a GGHttpServer first, or pass one as {http}`);
}

function announce(api: string, pathPrefix: string, http: GGHttpServer): void {
  if (!GG_DISCOVERY.has() || http.port === undefined) return;
  GG_DISCOVERY.get().registerRoutes([{ runtime: api, api, protocol: "ws", port: http.port, pathPrefix }]);
}
