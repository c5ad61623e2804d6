/**
 * What a middleware sees of a handshake: on the client before it is sent, on the server as it arrived.
 *
 * @typeParam TQueryArgs what the query validator makes of the arguments, where the schema has one
 */
export interface GGWebSocketHandshakeContext<TQueryArgs = Record<string, string>> {
  /** Headers of the handshake message (they are not HTTP headers, so a browser can set them too). */
  readonly headers: Record<string, string>;
  /**
   * Query arguments of the URL. On the server: what the schema's validator made of them, coerced and with defaults
   * filled in; without a validator the raw strings, and a list for an argument that is repeated.
   */
  readonly queryArgs: TQueryArgs;
  /** The upgrade request; absent on a client. */
  readonly request?: GGHandshakeRequest | undefined;
}

/** The HTTP request that a connection began with, as middlewares of a server see it. It cannot be changed. */
export interface GGHandshakeRequest {
  /** Path and query, as they were sent. */
  readonly url: string;
  /** HTTP headers, with names in lower case. A page cannot set them, but its browser sends cookies and the origin. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The cookies that the browser sent, by name, as they were set: nothing is decoded. Set `allowedOrigins` when you read them. */
  readonly cookies: Readonly<Record<string, string>>;
  /** The peer's address: what `addressOf` returned, else that of the TCP peer. */
  readonly address: string | undefined;
}

/**
 * A step of the handshake. Every method is optional. The client runs `updateHandshake` of each middleware in order;
 * the server runs, for each middleware in order, `parseHandshake` and then `process`, inside the connection's context.
 * What is thrown there refuses the connection: an `ERROR` is shown to the client, anything else is a `SERVER_ERROR`.
 */
export interface GGWebSocketMiddleware {
  /**
   * Client: adds headers or query arguments; a promise is awaited. Runs at every connect, so a rotated token is picked
   * up. A header that is not text fails the attempt with a `SERVER_ERROR` that names it, in Node; in a page it
   * is left out.
   */
  updateHandshake?(context: GGWebSocketHandshakeContext): void | Promise<void>;
  /** Server: reads headers and query arguments. */
  parseHandshake?(context: GGWebSocketHandshakeContext): void;
  /**
   * Server: the asynchronous part, such as loading the user. `GG_WS_CONNECTION.get()?.signal` is aborted when the peer has
   * gone meanwhile.
   */
  process?(): Promise<void>;
}
