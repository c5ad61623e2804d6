import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { destroyOnError, rejectUpgrade } from "./reject.js";
import { replayAsRequest } from "./replay.js";
import { unlessClaimed, whenUnclaimed } from "./unclaimed.js";

/** Where the upgrades of one path go. */
export interface UpgradeTarget {
  /** Names the API in errors. */
  readonly apiName: string;
  /** Whether upgrades to paths that no API is registered on are for other listeners to answer. */
  readonly leavesUnknownPaths: boolean;
  /** Whether the API is being torn down. Earlier versions do not say it. */
  isClosing?(): boolean;
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
  /** The paths of APIs that have gone since the last one came. */
  readonly #gone = new Set<string>();
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
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
    // The server goes on.
    this.#gone.clear();
    // The program may have removed all listeners since the last API came.
    if (!this.#server.listeners("upgrade").includes(this.#upgrade)) this.#server.on("upgrade", this.#upgrade);
  }

  find(path: string): UpgradeTarget | undefined {
    return this.#targets.get(encodedPath(path));
  }

  remove(path: string): void {
    const key = encodedPath(path);
    const isClosing = this.#targets.get(key)?.isClosing?.();
    this.#targets.delete(key);
    if (isClosing) this.#gone.add(key);
    // One that could not be served leaves nothing on the server.
    else if (this.#targets.size === 0) this.#server.off("upgrade", this.#upgrade);
  }

  readonly #upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    destroyOnError(socket);
    const answer = () => this.#answer(request, socket, head);
    if (this.find(pathOf(request)) || !this.#hasOthers()) answer();
    // A listener that knows another protocol takes it at once; most requests that offer one can do without.
    else if (isToWebSocket(request)) whenUnclaimed(socket, answer);
    else unlessClaimed(socket, answer);
  };

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
    else if (this.#hasEnded(pathOf(request))) rejectUpgrade(socket, 503, "The server is shutting down");
    else rejectUpgrade(socket, 404, "Nothing is served here");
  }

  /** Whether what was on a path has gone, and all else goes too: a proxy then looks for another server. */
  #hasEnded(path: string): boolean {
    return this.#gone.has(encodedPath(path)) && [...this.#targets.values()].every((target) => target.isClosing?.());
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
