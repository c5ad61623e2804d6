import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { destroyOnError, rejectUpgrade } from "./reject.js";
import { replayAsRequest } from "./replay.js";
import { whenUnclaimed } from "./unclaimed.js";

/** Where the upgrades of one path go. */
export interface UpgradeTarget {
  /** Names the API in errors. */
  readonly apiName: string;
  /** Whether upgrades to paths that no API is registered on are for other listeners to answer. */
  readonly leavesUnknownPaths: boolean;
  /** Takes an upgrade to a WebSocket, and answers it. Never throws. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/**
 * The paths of an HTTP server. Copies of this package in one process share it, of different versions too: what is here
 * stays as it is.
 */
export interface UpgradeRouter {
  /** @throws Error naming both APIs when the path is taken */
  add(path: string, target: UpgradeTarget): void;
  find(path: string): UpgradeTarget | undefined;
  remove(path: string): void;
}

/** The one `upgrade` listener of an HTTP server: hands each request to the API of its path, and answers all others. */
class Router implements UpgradeRouter {
  readonly #targets = new Map<string, UpgradeTarget>();
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  add(path: string, target: UpgradeTarget): void {
    const taken = this.find(path);
    if (taken) {
      const { apiName } = target;
      const cure =
        apiName === taken.apiName
          ? `${apiName} is registered twice`
          : `${apiName} and ${taken.apiName} need different paths`;
      throw new Error(`WebSocket path "${path}" is already registered on this HTTP server: ${cure}`);
    }
    this.#targets.set(encodedPath(path), target);
  }

  find(path: string): UpgradeTarget | undefined {
    return this.#targets.get(encodedPath(path));
  }

  remove(path: string): void {
    this.#targets.delete(encodedPath(path));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    destroyOnError(socket);
    const answer = () => this.#answer(request, socket, head);
    if (this.find(pathOf(request)) || !this.#hasOthers()) answer();
    else whenUnclaimed(socket, answer);
  }

  /** Whether what this router does not know may be for other listeners. */
  #hasOthers(): boolean {
    const targets = [...this.#targets.values()];
    // Once the last API is gone, nothing here refuses anything.
    const leaves = targets.length === 0 || targets.some(({ leavesUnknownPaths }) => leavesUnknownPaths);
    return leaves && this.#server.listenerCount("upgrade") > 1;
  }

  #answer(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const target = this.find(pathOf(request));
    if (!isToWebSocket(request)) replayAsRequest(this.#server, request, socket, head);
    else if (target) target.upgrade(request, socket, head);
    else rejectUpgrade(socket, 404, "Nothing is served here");
  }
}

/** A client may name several protocols, in the order that it prefers (RFC 9110 section 7.8). */
function isToWebSocket({ headers: { upgrade = "" } }: IncomingMessage): boolean {
  return upgrade.split(",").some((protocol) => protocol.trim().toLowerCase() === "websocket");
}

const ROUTER = Symbol.for("@grest-ts/websocket:upgrades");

/** The router of an HTTP server; there is one, however many APIs and copies of this package it serves. */
export function upgradesOf(server: Server & { [ROUTER]?: UpgradeRouter }): UpgradeRouter {
  server[ROUTER] ??= new Router(server);
  return server[ROUTER];
}

/**
 * A path as a URL parser writes it (https://url.spec.whatwg.org, "path percent-encode set"), so that one with other
 * characters is found. Nothing is resolved or decoded. Parsers differ on `^`, `|` and brackets, which are encoded at both ends.
 */
function encodedPath(path: string): string {
  return path.replace(/["<>[\]^`{|}]|[^!-~]+/g, encodeURIComponent);
}

/** The path of a request, without its query. */
export function pathOf({ url = "/" }: IncomingMessage): string {
  const mark = url.indexOf("?");
  return mark === -1 ? url : url.slice(0, mark);
}
