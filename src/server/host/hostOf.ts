import { Server } from "node:http";
import { Server as TlsServer } from "node:https";
import { GG_HTTP_SERVER, type GGHttpServer } from "@grest-ts/http";
import { shown } from "../../api/optionChecks.js";
import type { GGNodeServer } from "../../api/server.js";
import { hasService } from "../../connection/locate.js";
import { isThenable } from "../../connection/methods/outcome.js";
import { FrameworkHost } from "./frameworkHost.js";
import type { Host } from "./host.js";
import { NodeHost } from "./nodeHost.js";

/**
 * The host that an API is served on: what the program gives, else the framework's server of this scope.
 *
 * @throws Error naming the API when there is none, or when it is no HTTP server that can upgrade
 */
export function hostOf(given: GGHttpServer | GGNodeServer | undefined, apiName: string): Host {
  const http: unknown = given ?? (hasService(GG_HTTP_SERVER) ? GG_HTTP_SERVER.get() : undefined);
  if (!http) {
    throw new Error(
      `${apiName}: there is no HTTP server to listen on. Make a server of Node or a GGHttpServer, and pass it as {http}`,
    );
  }
  if (isFrameworkServer(http)) return new FrameworkHost(http);
  if (isNodeServer(http)) return NodeHost.of(http);
  throw new Error(
    `${apiName}: http must be an HTTP server of Node, such as createServer() or app.listen() returns, or a GGHttpServer, not ${described(http)}`,
  );
}

function isFrameworkServer(http: unknown): http is GGHttpServer {
  return isObject(http) && "httpServer" in http && typeof http.onTeardown === "function";
}

/** `requestTimeout` is what servers of `node:http2` have as well when they speak HTTP/1, and can upgrade. */
function isNodeServer(http: unknown): http is Server {
  return (
    http instanceof Server ||
    http instanceof TlsServer ||
    (isObject(http) && "requestTimeout" in http && typeof http.on === "function")
  );
}

/** A value that is no server, with the cure where it is a common mistake. */
function described(value: unknown): string {
  if (typeof value === "function") return "a function: of an app, pass what its listen() returns";
  if (!isObject(value)) return shown(value);
  // First: Fastify's app has a `then` as well.
  if (isNodeServer(value.server)) return 'an app: pass its "server"';
  if (isThenable(value)) return "a promise: await it first";
  if (typeof value.updateSettings === "function") {
    return "a server that speaks HTTP/2 only: make it with createSecureServer({ allowHTTP1: true })";
  }
  return shown(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
