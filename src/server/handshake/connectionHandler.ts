import type { Connection } from "../../connection/connection.js";
import { guarded } from "../../connection/guarded.js";
import type { HandlerObject, Handlers } from "../../connection/methods/handlers.js";
import { RawHandlers } from "../../connection/raw/rawHandlers.js";
import { RawConnection, rawSocket } from "../../connection/raw/rawSocket.js";
import { CloseCode } from "../../protocol/closeCodes.js";
import type { Registration } from "../registration.js";
import { isThenable } from "./listener.js";

/**
 * Calls the program's handler, and those of `GGSocketServer.onConnection` when there are any; messages wait until they have
 * given handlers, or are done without.
 */
export function runConnectionHandlers(
  registration: Registration,
  connection: Connection,
  handlers: Handlers,
  query: unknown,
): void {
  const contracted = runContracted(registration, connection, handlers, query);
  const isRaw = handlers instanceof RawHandlers;
  const others = isRaw ? runRaw(registration, new RawConnection(connection, handlers), query) : undefined;
  if (contracted || others) Promise.all([contracted, others]).then(() => connection.inbox.expectNoMoreHandlers());
  else connection.inbox.expectNoMoreHandlers();
}

/** Returns a promise, which never rejects, when the handler takes time. */
function runContracted(
  { apiName, endpoint, onConnection, Outgoing }: Registration,
  connection: Connection,
  handlers: Handlers,
  query: unknown,
): Promise<unknown> | undefined {
  const incoming = {
    on(added: HandlerObject) {
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
    return isThenable(result) ? Promise.resolve(result).catch(fail) : undefined;
  } catch (error) {
    fail(error);
    return undefined;
  }
}

/** What a raw handler throws is logged and stops nothing, as at 0.0.39. */
function runRaw({ endpoint, rawHandlers }: Registration, connection: RawConnection, query: unknown): Promise<unknown> {
  const { context } = connection.connection;
  const socket = rawSocket(connection);
  return Promise.all(rawHandlers.map((handler) => guarded(endpoint, context, () => handler(socket, query))));
}
