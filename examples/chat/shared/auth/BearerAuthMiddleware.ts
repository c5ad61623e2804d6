import type { GGHttpRequest, GGHttpTransportMiddleware } from "@grest-ts/http";
import { NOT_AUTHORIZED } from "@grest-ts/schema";
import type { GGWebSocketHandshakeContext, GGWebSocketMiddleware } from "@grest-ts/websocket";
import type { User } from "../model.js";
import { GG_AUTH_USER } from "./keys.js";

type Headers = Record<string, string | string[]>;

export interface BearerAuthOptions {
  /** Client: the token to send. Called for every HTTP request and every handshake of a socket. */
  readonly getToken: () => string | undefined;
  /** Server: the token's user, or `undefined` to reject it. */
  readonly verify: (token: string) => User | undefined;
}

/** One class for both transports: a request and a handshake carry the same header, checked by the same code. */
export class BearerAuthMiddleware implements GGHttpTransportMiddleware, GGWebSocketMiddleware {
  constructor(private readonly options: BearerAuthOptions) {}

  updateRequest = (request: GGHttpRequest): void => {
    request.headers ??= {};
    this.#attach(request.headers);
  };

  updateHandshake = (handshake: GGWebSocketHandshakeContext): void => this.#attach(handshake.headers);

  parseRequest = (request: GGHttpRequest): void => this.#identify(request.headers ?? {});

  parseHandshake = (handshake: GGWebSocketHandshakeContext): void => this.#identify(handshake.headers);

  #attach(headers: Headers): void {
    const token = this.options.getToken();
    if (token) headers.authorization = `Bearer ${token}`;
  }

  #identify(headers: Headers): void {
    const { authorization } = headers;
    if (typeof authorization !== "string" || !authorization.startsWith("Bearer ")) {
      throw new NOT_AUTHORIZED({ displayMessage: "Missing bearer token" });
    }
    const user = this.options.verify(authorization.slice("Bearer ".length));
    if (!user) throw new NOT_AUTHORIZED({ displayMessage: "Invalid token" });
    GG_AUTH_USER.set(user);
  }
}
