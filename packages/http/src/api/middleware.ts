/** The parts of a request that middlewares read (server) and write (client). */
export interface GGHttpRequest {
  /** Lower-case names on the server. */
  headers?: Record<string, string | string[]>;
  queryArgs?: Record<string, string | string[]>;
}

/** The parts of a response that middlewares write (server) and read (client). */
export interface GGHttpResponse {
  status: number;
  headers: Record<string, string | string[]>;
}

/** Takes part in the transport of every request of an API, on either end. */
export interface GGHttpTransportMiddleware {
  /** Client: before the request is sent. */
  updateRequest?(request: GGHttpRequest): void | Promise<void>;
  /** Server: before the handler, inside the request's context. A thrown error is the response. */
  parseRequest?(request: GGHttpRequest): void | Promise<void>;
  /** Server: before the response is sent. */
  updateResponse?(response: GGHttpResponse): void | Promise<void>;
  /** Client: when the response has arrived. */
  parseResponse?(response: GGHttpResponse): void | Promise<void>;
}

/** Takes part in the handling of every request on the server. */
export interface GGHttpServerMiddleware {
  /** After this middleware's `parseRequest`, inside the request's context. A thrown error is the response. */
  process?(): Promise<void>;
}

/** What `use` takes: any of the hooks. */
export type GGHttpMiddleware = GGHttpTransportMiddleware & GGHttpServerMiddleware;

/** Calls one hook of each middleware in order, without leaving the current tick unless a hook returns a promise. */
export async function runHooks(
  middlewares: readonly GGHttpMiddleware[],
  hook: (middleware: GGHttpMiddleware) => void | Promise<void> | undefined,
): Promise<void> {
  for (const middleware of middlewares) {
    const pending = hook(middleware);
    if (pending !== undefined) await pending;
  }
}
