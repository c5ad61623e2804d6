import type { GGWebSocketHandshakeContext, GGWebSocketMiddleware } from "../../api/middleware.js";
import { isThenable } from "../../connection/methods/outcome.js";

/**
 * Runs the server side of each middleware in order: parse, then process. Returns a promise only when one of them does
 * (also a parse that is asynchronous): promises are much of what connecting costs.
 */
export function runMiddlewares(
  middlewares: readonly GGWebSocketMiddleware[],
  handshake: GGWebSocketHandshakeContext,
  from = 0,
): Promise<void> | undefined {
  for (let step = from; step < 2 * middlewares.length; step++) {
    const middleware = middlewares[step >> 1];
    const pending: unknown = step % 2 === 0 ? middleware?.parseHandshake?.(handshake) : middleware?.process?.();
    if (isThenable(pending)) {
      return Promise.resolve(pending).then(() => runMiddlewares(middlewares, handshake, step + 1));
    }
  }
  return undefined;
}
