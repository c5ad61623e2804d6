import type { IncomingMessage, ServerResponse } from "node:http";

/** Which pages of other origins may call this server. */
export interface GGCorsConfig {
  /** Origins as browsers send them, `https://app.example`. Left out: any. */
  readonly origins?: readonly string[];
  /** Allows those pages to send cookies. Needs `origins`. */
  readonly credentials?: boolean;
}

const METHODS = "GET, HEAD, POST, PUT, DELETE";
/** How long a browser may cache a preflight response, in seconds. */
const MAX_AGE = "600";

/** Adds the CORS headers, and answers preflights. */
export class Cors {
  readonly #origins: ReadonlySet<string> | undefined;
  readonly #credentials: boolean;
  readonly #allowed = new Set(["authorization", "content-type"]);
  readonly #exposed = new Set<string>();

  constructor(config: GGCorsConfig) {
    this.#origins = config.origins && new Set(config.origins);
    this.#credentials = config.credentials ?? false;
    if (this.#credentials && this.#origins === undefined) {
      throw new Error("GGHttpServer: cors.credentials needs cors.origins, or any page could act for its visitors.");
    }
  }

  allowHeaders(names: readonly string[]): void {
    for (const name of names) this.#allowed.add(name.toLowerCase());
  }

  exposeHeaders(names: readonly string[]): void {
    for (const name of names) this.#exposed.add(name.toLowerCase());
  }

  /** Returns true when the request was a preflight and is answered. */
  apply(request: IncomingMessage, response: ServerResponse): boolean {
    // A shared cache must not serve one origin's response to another.
    if (this.#origins !== undefined) response.setHeader("vary", "origin");
    const { origin } = request.headers;
    if (origin === undefined) return false;

    const preflight = request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined;
    if (this.#origins === undefined || this.#origins.has(origin)) {
      response.setHeader("access-control-allow-origin", this.#origins === undefined ? "*" : origin);
      if (this.#credentials) response.setHeader("access-control-allow-credentials", "true");
      if (preflight) {
        response.setHeader("access-control-allow-methods", METHODS);
        response.setHeader("access-control-allow-headers", [...this.#allowed].join(", "));
        response.setHeader("access-control-max-age", MAX_AGE);
      } else if (this.#exposed.size > 0) {
        response.setHeader("access-control-expose-headers", [...this.#exposed].join(", "));
      }
    }
    if (preflight) response.writeHead(204).end();
    return preflight;
  }
}
