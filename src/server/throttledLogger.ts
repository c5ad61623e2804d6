import type { GGWebSocketLogger } from "../api/logger.js";

const INTERVAL = 1_000;

/** How many warnings of one text in an interval are logged. */
const ENOUGH = 10;

/**
 * Passes on at most ten warnings a second of each text, and says with the next one how many were left out: a flood of
 * messages must not flood the log. Errors all pass, since each has a reference that a peer may quote.
 */
export function throttledLogger(logger: GGWebSocketLogger): GGWebSocketLogger {
  const seen = new Map<string, { readonly since: number; count: number }>();
  return {
    debug: (message, fields) => logger.debug(message, fields),
    info: (message, fields) => logger.info?.(message, fields),
    error: (message, fields) => logger.error(message, fields),
    warn(message, fields) {
      const now = performance.now();
      const last = seen.get(message);
      if (last && now - last.since < INTERVAL) {
        if (++last.count <= ENOUGH) logger.warn(message, fields);
        return;
      }
      seen.set(message, { since: now, count: 1 });
      const unlogged = (last?.count ?? 0) - ENOUGH;
      logger.warn(message, unlogged > 0 ? { ...fields, unlogged } : fields);
    },
  };
}
