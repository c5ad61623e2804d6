import type { IncomingMessage, RequestListener, Server } from "node:http";
import { text } from "node:stream/consumers";
import { logIn } from "./auth.js";
import { Board } from "./Board.js";

/**
 * Serves the log-in, the board and the page on an HTTP server, which may listen later. Returns a function that ends all
 * of it, once calls and handlers have finished.
 *
 * @param page answers the requests that are no log-ins
 */
export function serveBoard(http: Server, page: RequestListener): () => Promise<void> {
  http.on("request", (request, response) => {
    if (request.method !== "POST" || request.url !== "/api/login") return page(request, response);
    readName(request).then(
      (name) => response.setHeader("content-type", "application/json").end(JSON.stringify({ token: logIn(name) })),
      () => response.writeHead(400).end(),
    );
  });
  const board = new Board().serve(http);
  return async () => {
    await board.teardown();
    http.close();
    http.closeAllConnections();
  };
}

async function readName(request: IncomingMessage): Promise<string> {
  const { name } = JSON.parse(await text(request)) as { readonly name?: unknown };
  if (typeof name !== "string" || !/^\S.{0,23}$/.test(name)) throw new Error("a name has 1 to 24 characters");
  return name;
}
