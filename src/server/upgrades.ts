import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { MAX_PAYLOAD } from "../transport/ws.js";

/** Takes an upgraded connection; `query` is the raw text after the `?`. */
export interface UpgradeTarget {
  /** Names the API in errors. */
  readonly apiName: string;
  /** Whether upgrades to paths that nobody registered are for other listeners to answer. */
  readonly leavesUnknownPaths: boolean;
  accept(ws: WebSocket, query: string): void;
}

/** The one `upgrade` listener of an HTTP server: hands each request to the API of its path, and answers 404 without one. */
class UpgradeRouter {
  readonly #targets = new Map<string, UpgradeTarget>();
  readonly #webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD,
  });

  constructor(server: Server) {
    server.on("upgrade", (request, line, head) => this.#upgrade(request, line, head));
  }

  add(path: string, target: UpgradeTarget): void {
    const taken = this.#targets.get(path);
    if (taken) {
      throw new Error(
        `WebSocket path "${path}" is already registered on this HTTP server: ${target.apiName} and ${taken.apiName} need different paths`,
      );
    }
    this.#targets.set(path, target);
  }

  remove(path: string): void {
    this.#targets.delete(path);
  }

  #upgrade(request: IncomingMessage, line: Duplex, head: Buffer): void {
    const { path, query } = splitUrl(request.url ?? "/");
    const target = this.#targets.get(path);
    if (!target && [...this.#targets.values()].some((other) => other.leavesUnknownPaths)) return;
    // Without a listener a reset of the line, at any moment from here on, would be an uncaught exception.
    line.on("error", () => line.destroy());
    if (!target) {
      line.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    this.#webSockets.handleUpgrade(request, line, head, (ws) => target.accept(ws, query));
  }
}

const routers = new WeakMap<Server, UpgradeRouter>();

/** The router of an HTTP server; there is one, however many APIs it serves. */
export function upgradesOf(server: Server): UpgradeRouter {
  let router = routers.get(server);
  if (!router) {
    router = new UpgradeRouter(server);
    routers.set(server, router);
  }
  return router;
}

export type { UpgradeRouter };

function splitUrl(url: string): { path: string; query: string } {
  const mark = url.indexOf("?");
  return mark === -1 ? { path: url, query: "" } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}
