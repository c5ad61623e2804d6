import type { GGHttpRequest, GGHttpServerMiddleware, GGHttpTransportMiddleware } from "@grest-ts/http";
import { IsString, NOT_AUTHORIZED } from "@grest-ts/schema";
import type { GGWebSocketHandshakeContext } from "@grest-ts/websocket";
import type { GGDescribedMiddleware } from "@grest-ts/websocket/asyncapi";
import { GG_AUTH_LOG_IN, GG_AUTH_TOKEN, type LogIn } from "./keys.js";

type Headers = Record<string, string | string[]>;

export interface BearerAuthOptions {
  /** Client: the token to send. Called for every HTTP request and every handshake of a socket. */
  readonly getToken: () => string | undefined;
  /** Server: the token's log-in, or `undefined` to reject it. */
  readonly verify: (token: string) => Promise<LogIn | undefined>;
}

/** One class for both transports: a request and a handshake carry the same header, checked by the same code. */
export class BearerAuthMiddleware implements GGHttpTransportMiddleware, GGHttpServerMiddleware, GGDescribedMiddleware {
  /** For the document at `/asyncapi.json`. */
  readonly headers = {
    authorization: IsString.regex(/^Bearer ./).docs({ description: "`Bearer`, a space, and the token of a log-in." }),
  };

  constructor(private readonly options: BearerAuthOptions) {}

  updateRequest = (request: GGHttpRequest): void => {
    request.headers ??= {};
    this.#attach(request.headers);
  };

  updateHandshake = (handshake: GGWebSocketHandshakeContext): void => this.#attach(handshake.headers);

  parseRequest = (request: GGHttpRequest): void => this.#readToken(request.headers ?? {});

  parseHandshake = (handshake: GGWebSocketHandshakeContext): void => this.#readToken(handshake.headers);

  process = async (): Promise<void> => {
    const logIn = await this.options.verify(GG_AUTH_TOKEN.assert());
    if (!logIn) throw new NOT_AUTHORIZED({ displayMessage: "Invalid token" });
    GG_AUTH_LOG_IN.set(logIn);
  };

  #attach(headers: Headers): void {
    const token = this.options.getToken();
    if (token) headers.authorization = `Bearer ${token}`;
  }

  #readToken(headers: Headers): void {
    const { authorization } = headers;
    if (typeof authorization !== "string" || !authorization.startsWith("Bearer ")) {
      throw new NOT_AUTHORIZED({ displayMessage: "Missing bearer token" });
    }
    GG_AUTH_TOKEN.set(authorization.slice("Bearer ".length));
  }
}
