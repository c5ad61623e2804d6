import { type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { CLOSE_TIMEOUT } from "../../connection/connection.js";

/** Where the upgrades of one path go. */
export interface UpgradeTarget {
  /** Names the API in errors. */
  readonly apiName: string;
  /** Whether upgrades to paths that no API is registered on are for other listeners to answer. */
  readonly leavesUnknownPaths: boolean;
  /** The largest message, in bytes. */
  readonly maxPayloadBytes: number;
  /** Admits a request, or says why it may not be upgraded. */
  admit(request: IncomingMessage): { readonly status: number; readonly why: string } | undefined;
  /** Takes an upgraded connection; `query` is the raw text after the `?`. */
  accept(ws: WebSocket, query: string, request: IncomingMessage): void;
}

/** One path's own `ws` server, which limits its payloads. */
interface Route {
  readonly target: UpgradeTarget;
  readonly webSockets: WebSocketServer;
}

/**
 * The one `upgrade` listener of an HTTP server: hands each request to the API of its path, and answers 404 without one.
 */
class UpgradeRouter {
  readonly #routes = new Map<string, Route>();

  constructor(server: Server) {
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  add(path: string, target: UpgradeTarget): void {
    const taken = this.#routes.get(path);
    if (taken) {
      throw new Error(
        `WebSocket path "${path}" is already registered on this HTTP server: ${target.apiName} and ${taken.target.apiName} need different paths`,
      );
    }
    const webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: target.maxPayloadBytes,
      closeTimeout: CLOSE_TIMEOUT,
    } as ServerOptions);
    this.#routes.set(path, { target, webSockets });
  }

  remove(path: string): void {
    this.#routes.delete(path);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { path, query } = splitUrl(request.url ?? "/");
    const route = this.#routes.get(path);
    if (!route && [...this.#routes.values()].some(({ target }) => target.leavesUnknownPaths)) return;
    if (!route) return reject(socket, 404, "Nothing is served here");
    const { target, webSockets } = route;
    const rejection = target.admit(request);
    if (rejection) return reject(socket, rejection.status, rejection.why);
    webSockets.handleUpgrade(request, socket, head, (ws) => target.accept(ws, query, request));
  }
}

/** Answers an upgrade request as any other HTTP request, and closes its socket. */
function reject(socket: Duplex, status: number, why: string): void {
  // Without a listener a reset of the socket would be an uncaught exception; `ws` has its own for what it upgrades.
  socket.on("error", () => socket.destroy());
  const body = `${why}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Connection: close",
    "Content-Type: text/plain",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 404 || status === 403 ? [] : ["Retry-After: 1"]),
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
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
