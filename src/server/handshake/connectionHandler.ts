import type { Connection } from "../../connection/connection.js";
import { waitAtMost } from "../../connection/deadlines.js";
import { runCallback } from "../../connection/endpoint.js";
import { HANDLER_GRACE } from "../../connection/inbox.js";
import type { HandlerObject, Handlers } from "../../connection/methods/handlers.js";
import { isThenable } from "../../connection/methods/outcome.js";
import { RawHandlers } from "../../connection/raw/rawHandlers.js";
import { RawConnection, rawSocket } from "../../connection/raw/rawSocket.js";
import { CloseCode } from "../../protocol/closeCodes.js";
import { outgoingOf } from "../connection/outgoing.js";
import type { RawConnectionHandler, ServedApi } from "../servedApi.js";

/**
 * Calls the program's handler, and those of `GGSocketServer.onConnection` when there are any. Messages wait until each
 * side has given handlers, or has ended without: neither must lose messages to the other. Calls `ended` when all of
 * them have ended.
 */
export function runConnectionHandlers(
  api: ServedApi,
  connection: Connection,
  handlers: Handlers,
  query: unknown,
  ended: () => void,
): void {
  const isShared = handlers instanceof RawHandlers;
  let running = isShared ? 2 : 1;
  const sideEnded = () => --running === 0 && ended();
  const isReady = { contract: false, raw: !isShared };
  const ready = (side: keyof typeof isReady) => {
    isReady[side] = true;
    if (isReady.contract && isReady.raw) connection.inbox.expectNoMoreHandlers();
  };
  runContracted(api, connection, handlers, query, () => ready("contract"), sideEnded);
  if (!isShared) return;
  runRaw(api, new RawConnection(connection, handlers, () => ready("raw")), query, () => ready("raw"), sideEnded);
}

/** Calls `ready` when the handler has given handlers, and when it has ended. */
function runContracted(
  { apiName, onConnection, serverToClient }: ServedApi,
  connection: Connection,
  handlers: Handlers,
  query: unknown,
  ready: () => void,
  ended: () => void,
): void {
  const incoming = {
    on(added: HandlerObject) {
      const takeBack = handlers.add(added);
      ready();
      return takeBack;
    },
  };
  const outgoing = outgoingOf(serverToClient, connection);
  const fail = (error: unknown) => {
    connection.namedEndpoint.logger.error(`${apiName}: the connection handler failed`, { error });
    connection.close(CloseCode.INTERNAL_ERROR, "Connection handler failed");
  };
  try {
    const result = onConnection(incoming, outgoing, query);
    if (isThenable(result)) return void Promise.resolve(result).catch(fail).then(ready).then(ended);
    ready();
  } catch (error) {
    fail(error);
  }
  ended();
}

/** What a raw handler throws is logged and stops nothing, as at 0.0.39. One may go on for as long as its connection. */
function runRaw(
  { rawHandlers }: ServedApi,
  raw: RawConnection,
  query: unknown,
  ready: () => void,
  ended: () => void,
): void {
  const socket = rawSocket(raw);
  const { context, namedEndpoint: endpoint } = raw.connection;
  const run = (handler: RawConnectionHandler) =>
    runCallback(endpoint, context, "onConnection", () => handler(socket, query));
  const allEnded = Promise.all(Array.from(rawHandlers, run)).then(ended);
  waitAtMost(HANDLER_GRACE, (done) => void allEnded.then(done)).then(ready);
}
