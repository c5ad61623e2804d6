import type { Connection } from "../../connection/connection.js";
import { runCallback } from "../../connection/endpoint.js";
import type { HandlerObject, Handlers } from "../../connection/methods/handlers.js";
import { isThenable } from "../../connection/methods/outcome.js";
import { RawHandlers } from "../../connection/raw/rawHandlers.js";
import { RawConnection, rawSocket } from "../../connection/raw/rawSocket.js";
import { CloseCode } from "../../protocol/closeCodes.js";
import type { ServedApi } from "../servedApi.js";

/**
 * Calls the program's handler, and those of `GGSocketServer.onConnection` when there are any; messages wait until they have
 * given handlers, or have ended without.
 */
export function runConnectionHandlers(
  api: ServedApi,
  connection: Connection,
  handlers: Handlers,
  query: unknown,
): void {
  const contracted = runContracted(api, connection, handlers, query);
  const raw = handlers instanceof RawHandlers ? runRaw(api, new RawConnection(connection, handlers), query) : undefined;
  if (contracted || raw) Promise.all([contracted, raw]).then(() => connection.inbox.expectNoMoreHandlers());
  else connection.inbox.expectNoMoreHandlers();
}

/** Returns a promise, which never rejects, when the handler takes time. */
function runContracted(
  { apiName, endpoint, onConnection, Outgoing }: ServedApi,
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
function runRaw({ endpoint, rawHandlers }: ServedApi, raw: RawConnection, query: unknown): Promise<unknown> {
  const socket = rawSocket(raw);
  const run = (handler: (typeof rawHandlers)[number]) =>
    runCallback(endpoint, raw.connection.context, () => handler(socket, query));
  return Promise.all(rawHandlers.map(run));
}
