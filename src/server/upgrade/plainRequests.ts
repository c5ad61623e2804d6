import type { RequestListener, Server } from "node:http";
import type { GGHttpRouteHandler, GGHttpServer } from "@grest-ts/http";
import { ROUTE_NOT_FOUND } from "@grest-ts/schema";
import { pathOf, type UpgradeRouter } from "./router.js";

/** Characters that stand for others in the paths of HTTP routes. */
const PATTERN = /[:*?(){}[\]]/;

/**
 * Answers requests to the path of an API that ask for no upgrade with 426 and a reason. A route of the app on the same
 * path goes first, so this waits until the server starts, when all of them are registered.
 */
export function explainPlainRequests(http: GGHttpServer, upgrades: UpgradeRouter, path: string): void {
  const route = decoded(path);
  // The root is where apps with a route for all paths have their page.
  if (route === "/" || PATTERN.test(route)) return;
  const register = () => {
    try {
      http.registerRoute("GET", route, explanation(upgrades));
    } catch {
      // There is a route already: the app's, or that of an API which was on this path before.
    }
  };
  if (http.port === undefined) http.onStart(register);
  else register();
}

/**
 * Answers the plain requests of a server that has no listener for them, and so would leave them waiting. It answers none
 * from the moment on at which the program adds one.
 */
export function answerPlainRequests(server: Server, upgrades: UpgradeRouter): void {
  // On one of `node:http2` a listener for requests takes the streams from listeners for these.
  if (server.listenerCount("request") > 0 || !("keepAliveTimeout" in server)) return;
  const explain = explanation(upgrades);
  // Others may keep it, and call it themselves.
  let isAlone = true;
  const answer: RequestListener = (request, response) => void (isAlone && explain(request, response, {}));
  server.on("request", answer).on("newListener", function leave(event: string) {
    if (event !== "request") return;
    isAlone = false;
    server.off("request", answer).off("newListener", leave);
  });
}

/** The server keeps the route when the API is gone, so the API is looked up. */
function explanation(upgrades: UpgradeRouter): GGHttpRouteHandler {
  return (request, response) => {
    const target = upgrades.find(pathOf(request));
    if (!target) {
      const error = new ROUTE_NOT_FOUND({ displayMessage: `Route not found: ${request.method} ${pathOf(request)}` });
      return respond(404, "application/json; charset=utf-8", JSON.stringify(error));
    }
    response.setHeader("Upgrade", "websocket").setHeader("Connection", "Upgrade");
    respond(
      426,
      "text/plain; charset=utf-8",
      `${target.apiName} is a WebSocket API, and this request lacks "Upgrade: websocket" or "Connection: Upgrade". If a ` +
        "WebSocket client sent it, a proxy in between does not forward these headers.\n",
    );

    function respond(status: number, type: string, body: string): void {
      response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) }).end(body);
    }
  };
}

/** Routes are matched with decoded paths, upgrades with the path as it is sent. */
function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}
