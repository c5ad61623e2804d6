/** The parts of a request that middlewares read (server) and write (client). */
export interface GGHttpRequest {
  /** Lower-case names on the server. */
  headers?: Record<string, string | string[]>;
  /** The arguments of the URL's query. */
  queryArgs?: Record<string, string | string[]>;
}

/** The parts of a response that middlewares write (server) and read (client). */
export interface GGHttpResponse {
  /** The HTTP status code. */
  status: number;
  /** Lower-case names on the client. */
  headers: Record<string, string | string[]>;
}

/** Takes part in the transport of every request of an API, on either end. Hooks are not awaited. */
export interface GGHttpTransportMiddleware {
  /** Client: before the request is sent, inside the caller's context. */
  updateRequest?(request: GGHttpRequest): void;
  /** Server: before the handler, inside the request's context. A thrown error is the response. */
  parseRequest?(request: GGHttpRequest): void;
  /** Server: before the response is sent. */
  updateResponse?(response: GGHttpResponse): void;
  /** Client: when the response has arrived. */
  parseResponse?(response: GGHttpResponse): void;
}

/** Takes part in the handling of every request of one registration. */
export interface GGHttpServerMiddleware {
  /** After all `parseRequest`, inside the request's context; it is awaited. A thrown error is the response. */
  process?(): Promise<void>;
}
