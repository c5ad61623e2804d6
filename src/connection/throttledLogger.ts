import type { GGWebSocketLogger } from "../api/logger.js";
import { setDeadline } from "./deadlines.js";

/** How many warnings of one text are logged in an interval, and its length in ms. */
const ENOUGH = 10;
const INTERVAL = 10_000;

/**
 * Passes on at most ten warnings of each text in ten seconds, and logs at the end of these how many were left out: a
 * flood of messages must not flood the log. Errors all pass, since each has a reference that a peer may quote.
 */
export function throttledLogger(logger: GGWebSocketLogger): GGWebSocketLogger {
  const counts = new Map<string, number>();
  const endInterval = (message: string) => {
    const unlogged = (counts.get(message) ?? 0) - ENOUGH;
    counts.delete(message);
    if (unlogged > 0) logger.warn(message, { unlogged });
  };
  return {
    debug: (message, fields) => logger.debug(message, fields),
    info: (message, fields) => logger.info?.(message, fields),
    error: (message, fields) => logger.error(message, fields),
    warn(message, fields) {
      const count = (counts.get(message) ?? 0) + 1;
      counts.set(message, count);
      if (count === 1) setDeadline(INTERVAL, () => endInterval(message));
      if (count <= ENOUGH) logger.warn(message, fields);
    },
  };
}
