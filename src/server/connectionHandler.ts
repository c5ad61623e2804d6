import { CloseCode } from "../protocol/closeCodes.js";
import type { Connection } from "../socket/connection.js";
import type { Handlers } from "../socket/handlers.js";
import { isThenable } from "./handshake.js";
import type { Registration } from "./registration.js";

/** Calls the program's handler; messages wait until it has given handlers, or is done without. */
export function runConnectionHandler(
  { apiName, endpoint, onConnection, Outgoing }: Registration,
  connection: Connection,
  handlers: Handlers,
  query: unknown,
): void {
  const incoming = {
    on(added: object) {
      handlers.add(added);
      connection.inbox.deliverSoon();
    },
  };
  const outgoing = Object.defineProperty(new Outgoing(connection.calls), "onClose", {
    configurable: true,
    writable: true,
    value: (callback: () => void) => void connection.onClose(() => callback()),
  });
  const fail = (error: unknown) => {
    endpoint.logger.error(`${apiName}: the connection handler failed`, { error });
    connection.close(CloseCode.INTERNAL_ERROR, "Connection handler failed");
  };
  try {
    const result = onConnection(incoming, outgoing, query);
    if (isThenable(result)) Promise.resolve(result).then(() => connection.inbox.expectNoMoreHandlers(), fail);
    else connection.inbox.expectNoMoreHandlers();
  } catch (error) {
    fail(error);
  }
}
