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
}

/**
 * A step of the handshake. Every method is optional. The client runs `updateHandshake` of each middleware in order;
 * the server runs, for each middleware in order, `parseHandshake` and then `process`, inside the connection's context.
 * What is thrown there refuses the connection: an `ERROR` is shown to the client, anything else is a `SERVER_ERROR`.
 */
export interface GGWebSocketMiddleware {
  /** Client: adds headers or query arguments. Runs at every connect, so a rotated token is picked up. */
  updateHandshake?(context: GGWebSocketHandshakeContext): void;
  /** Server: reads headers and query arguments. */
  parseHandshake?(context: GGWebSocketHandshakeContext): void;
  /** Server: the asynchronous part, such as loading the user. */
  process?(): Promise<void>;
}
