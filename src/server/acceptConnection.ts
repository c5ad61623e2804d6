import { GGContext } from "@grest-ts/context";
import { ERROR } from "@grest-ts/schema";
import { GG_WS_CONNECTION } from "../contract/contextKeys.js";
import { CAPABILITIES_MEMBER } from "../protocol/capabilities.js";
import { CloseCode } from "../protocol/closeCodes.js";
import { encodeHandshakeError } from "../protocol/handshake.js";
import type { Connection } from "../socket/connection.js";
import { Handlers } from "../socket/handlers.js";
import { type AnyError, errorPayload, serverError, thrownError } from "../socket/outcome.js";
import type { Transport } from "../socket/transport.js";
import { ConnectionGate } from "./gate.js";
import { HandshakeListener, MAX_HANDSHAKE, runMiddlewares } from "./handshake.js";
import type { ConnectionResult } from "./metrics.js";
import { refusal, resolveScopes, type Scopes } from "./permissions.js";
import type { Registration } from "./registration.js";
import { ServerConnection } from "./serverConnection.js";

/** How long a client may take to send its handshake message, in ms. */
const HANDSHAKE_TIMEOUT = 5_000;

/** Takes a new line through query check, handshake and permissions to its connection handler. Never throws. */
export function acceptConnection(registration: Registration, transport: Transport, rawQuery: string): void {
  const context = new GGContext("ws-connection");
  context.set(GG_WS_CONNECTION, { port: registration.port, path: registration.path });
  const handshake = registration.endpoint.scope(() =>
    context.run(() => openConnection(registration, transport, rawQuery, context)),
  );
  const guarded = handshake.catch((error) => {
    registration.endpoint.logger.error(`${registration.apiName}: a connection could not be set up`, { error });
    registration.metrics.attempted("ERROR");
    transport.close(CloseCode.INTERNAL_ERROR, "Connection failed");
  });
  registration.duringHandshake(transport, context, guarded);
}

async function openConnection(
  registration: Registration,
  transport: Transport,
  rawQuery: string,
  context: GGContext,
): Promise<void> {
  const listener = new HandshakeListener(transport, HANDSHAKE_TIMEOUT);
  const queryArgs = Object.fromEntries(new URLSearchParams(rawQuery));
  const query = registration.queryValidator?.safeParse(queryArgs, true);
  if (query && !query.success) {
    registration.metrics.attempted("QUERY_INVALID");
    transport.close(CloseCode.QUERY_INVALID, "Invalid query parameters");
    return;
  }
  const headers = await listener.arrival;
  if (headers === "closed") {
    registration.metrics.attempted("HANDSHAKE_FAILED");
    return;
  }
  if (headers === "timeout") return refuse(registration, transport, serverError("Handshake timeout"));
  if (headers === "too large") {
    registration.endpoint.logger.warn(`${registration.apiName}: a handshake message was too large`);
    const why = `Handshake message of more than ${MAX_HANDSHAKE} characters`;
    return refuse(registration, transport, serverError(why), "HANDSHAKE_TOO_LARGE");
  }
  const capabilities = registration.capabilities.shared(headers[CAPABILITIES_MEMBER]);
  delete headers[CAPABILITIES_MEMBER];

  let scopes: Scopes;
  try {
    await runMiddlewares(registration.middlewares, { headers, queryArgs });
    scopes = await resolveScopes(registration.permissionResolver);
  } catch (thrown) {
    return refuse(registration, transport, publicError(registration, thrown));
  }
  const notPermitted = refusal(registration.connectPermission, scopes, registration.apiName);
  if (notPermitted) return refuse(registration, transport, notPermitted);
  if (!listener.isOpen || !registration.expects(transport)) {
    registration.metrics.attempted("HANDSHAKE_FAILED");
    transport.close(CloseCode.GOING_AWAY);
    return;
  }
  const handlers = new Handlers();
  const connection = new ServerConnection(transport, registration, context, handlers, capabilities.agreed);
  connection.inbox.gate = new ConnectionGate(connection, registration.limits, scopes);
  // Sent as a line of its own: the client does not know of batches before it has read this.
  transport.send([capabilities.accept]);
  registration.metrics.attempted("OK");
  registration.joined(connection);
  listener.handOverTo(connection);
  runConnectionHandler(registration, connection, handlers, query ? query.value : queryArgs);
}

/** Calls the program's handler; messages wait until it has given handlers, or is done without. */
async function runConnectionHandler(
  registration: Registration,
  connection: Connection,
  handlers: Handlers,
  query: unknown,
): Promise<void> {
  const incoming = {
    on(added: object) {
      handlers.add(added);
      connection.inbox.deliverSoon();
    },
  };
  const outgoing = Object.defineProperty(new registration.Outgoing(connection.calls), "onClose", {
    configurable: true,
    writable: true,
    value: (callback: () => void) => void connection.onClose(() => callback()),
  });
  try {
    await registration.onConnection(incoming, outgoing, query);
    connection.inbox.expectNoMoreHandlers();
  } catch (error) {
    registration.endpoint.logger.error(`${registration.apiName}: the connection handler failed`, { error });
    connection.close(CloseCode.INTERNAL_ERROR, "Connection handler failed");
  }
}

function refuse(
  registration: Registration,
  transport: Transport,
  error: AnyError,
  result: ConnectionResult = "HANDSHAKE_FAILED",
): void {
  registration.metrics.attempted(result);
  registration.endpoint.logger.debug(`${registration.apiName}: a handshake was refused`, { type: error.type });
  transport.send([encodeHandshakeError(errorPayload(error))]);
  transport.close(CloseCode.HANDSHAKE_FAILED, "Handshake failed");
}

/** An `ERROR` is the middleware's answer to the client; anything else is a defect, logged under the reference it gets. */
function publicError(registration: Registration, thrown: unknown): AnyError {
  const error = thrownError(thrown);
  if (!(thrown instanceof ERROR)) {
    registration.endpoint.logger.error(`${registration.apiName}: a middleware failed`, {
      ref: error.context?.ref,
      error: thrown,
    });
  }
  return error;
}
