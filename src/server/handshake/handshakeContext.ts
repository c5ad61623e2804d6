import type { IncomingMessage } from "node:http";
import type { GGHandshakeRequest, GGWebSocketHandshakeContext } from "../../api/middleware.js";

/** What middlewares of a server see of a handshake. Headers and query are its own members, as at 0.0.39. */
export class HandshakeContext implements GGWebSocketHandshakeContext {
  readonly headers: Record<string, string>;
  readonly queryArgs: GGWebSocketHandshakeContext["queryArgs"];
  readonly #request: GGHandshakeRequest;

  constructor(
    headers: Record<string, string>,
    queryArgs: GGWebSocketHandshakeContext["queryArgs"],
    request: GGHandshakeRequest,
  ) {
    this.headers = headers;
    this.queryArgs = queryArgs;
    this.#request = request;
  }

  get request(): GGHandshakeRequest {
    return this.#request;
  }
}

/** The upgrade request as middlewares see it; cookies are parsed when something asks for them. */
export class UpgradeRequest implements GGHandshakeRequest {
  readonly #request: IncomingMessage;
  readonly #address: string | undefined;
  #headers: GGHandshakeRequest["headers"] | undefined;
  #cookies: Readonly<Record<string, string>> | undefined;

  constructor(request: IncomingMessage, address: string | undefined) {
    this.#request = request;
    this.#address = address;
  }

  get address(): string | undefined {
    return this.#address;
  }

  get url(): string {
    return this.#request.url ?? "/";
  }

  get headers(): GGHandshakeRequest["headers"] {
    this.#headers ??= Object.freeze({ ...this.#request.headers });
    return this.#headers;
  }

  get cookies(): Readonly<Record<string, string>> {
    this.#cookies ??= Object.freeze(parseCookies(this.#request.headers.cookie ?? ""));
    return this.#cookies;
  }
}

/** The pairs of a `Cookie` header (RFC 6265 section 5.4), as they were set; of equal names the first, the most specific. */
function parseCookies(header: string): Record<string, string> {
  const cookies = new Map<string, string>();
  for (const pair of header.split(";")) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at).trim();
    if (at > 0 && name && !cookies.has(name))
      cookies.set(
        name,
        pair
          .slice(at + 1)
          .trim()
          .replace(/^"(.*)"$/, "$1"),
      );
  }
  return Object.fromEntries(cookies);
}
