import { type Connection, GRACEFUL_CLOSE_TIMEOUT } from "../connection.js";
import { waitAtMost } from "../deadlines.js";

/** How often it is looked at what waits, in ms. */
const LOOK_INTERVAL = 50;

/** How long a slow peer may take to read what the system holds, in ms: nothing shows its progress. */
const SLOW_CLOSE_TIMEOUT = 30_000;

/** See `SocketEndpoint.whenSent`. */
export async function whenSent(connection: Connection): Promise<number | undefined> {
  const { outbox, namedEndpoint } = connection;
  const { underlyingTransport: transport } = outbox;
  let waiting = outbox.measureBacklog();
  if (waiting === 0 || !transport.watchSending) return undefined;
  let hasEnded = false;
  let stopWaiting = () => {};
  const stopWatching = connection.onClose(() => {
    hasEnded = true;
    stopWaiting();
  });
  let seen = transport.watchSending();
  let stalledMs = 0;
  while (waiting > 0 && !hasEnded && stalledMs < GRACEFUL_CLOSE_TIMEOUT) {
    await waitAtMost(LOOK_INTERVAL, (done) => {
      stopWaiting = done;
    });
    if (hasEnded) break;
    const moves = transport.watchSending();
    stalledMs = moves === seen ? stalledMs + LOOK_INTERVAL : 0;
    seen = moves;
    waiting = outbox.measureBacklog();
  }
  stopWatching();
  if (waiting === 0) return SLOW_CLOSE_TIMEOUT;
  const { apiName, logger } = namedEndpoint;
  logger.warn(`${apiName}: a connection is closed before all was sent, up to these bytes were not sent`, {
    bytes: waiting,
  });
  return undefined;
}
