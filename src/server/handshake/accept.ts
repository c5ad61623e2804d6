import { GGContext } from "@grest-ts/context";
import { ERROR, type GGValidator } from "@grest-ts/schema";
import { GG_WS_CONNECTION } from "../../api/contextKeys.js";
import type { GGWebSocketHandshakeContext } from "../../api/middleware.js";
import { Handlers } from "../../connection/methods/handlers.js";
import { type AnyError, errorPayload, serverError, thrownError } from "../../connection/methods/outcome.js";
import { RawHandlers } from "../../connection/raw/rawHandlers.js";
import { beginTrace } from "../../connection/trace.js";
import { CAPABILITIES_MEMBER } from "../../protocol/capabilities.js";
import { CloseCode } from "../../protocol/closeCodes.js";
import { encodeHandshakeError } from "../../protocol/handshake.js";
import type { WsTransport } from "../../transport/node/ws.js";
import { ConnectionGate } from "../connection/gate.js";
import { ServerConnection } from "../connection/serverConnection.js";
import type { ConnectionResult } from "../metrics.js";
import type { Registration } from "../registration.js";
import type { SharedCapabilities } from "./capabilities.js";
import { runConnectionHandlers } from "./connectionHandler.js";
import { type HandshakeArrival, HandshakeListener, MAX_HANDSHAKE, runMiddlewares } from "./listener.js";
import { refusal, resolveScopes, type Scopes } from "./permissions.js";
import { checkQuery, parseQuery, type RawQuery } from "./query.js";

/** How long a client may take to send its handshake message, in ms. */
const HANDSHAKE_TIMEOUT = 5_000;

/** Takes a new line through query check, handshake and permissions to its connection handler. Never throws. */
export function acceptConnection(registration: Registration, transport: WsTransport, rawQuery: string): void {
  new Arrival(registration, transport, parseQuery(rawQuery)).begin();
}

/** A line that is not a connection yet. Waits for the program only where that takes time: promises cost the most here. */
class Arrival {
  readonly #registration: Registration;
  readonly #transport: WsTransport;
  readonly #context = new GGContext("ws-connection");
  readonly #listener: HandshakeListener;
  /** The raw arguments, and once they are checked what the validator made of them. */
  #query: unknown;

  constructor(registration: Registration, transport: WsTransport, rawQuery: RawQuery) {
    this.#registration = registration;
    this.#transport = transport;
    this.#query = rawQuery;
    this.#context.set(GG_WS_CONNECTION, registration.address);
    beginTrace(this.#context);
    this.#listener = new HandshakeListener(transport, HANDSHAKE_TIMEOUT, (arrival) =>
      this.#guard(() => this.#shakeHands(arrival)),
    );
  }

  begin(): void {
    this.#registration.arrives(this.#transport, this.#context);
    const { queryValidator } = this.#registration;
    if (queryValidator) this.#guard(() => this.#checkQuery(queryValidator));
  }

  #checkQuery(validator: GGValidator<unknown>): void {
    const query = checkQuery(validator, this.#query as RawQuery);
    if (query.success) this.#query = query.value;
    else this.#end("QUERY_INVALID", CloseCode.QUERY_INVALID, "Invalid query parameters");
  }

  #shakeHands(headers: HandshakeArrival): void | Promise<void> {
    const { capabilities, middlewares, permissionResolver } = this.#registration;
    if (headers === "closed") return this.#end("HANDSHAKE_FAILED");
    if (headers === "timeout") return this.#refuse(serverError("Handshake timeout"));
    if (headers === "too large") return this.#refuseTooLarge();
    const shared = capabilities.shared(headers[CAPABILITIES_MEMBER]);
    delete headers[CAPABILITIES_MEMBER];
    const enter = (scopes: Scopes) => this.#enter(scopes, shared);
    const refuse = (thrown: unknown) => this.#refuse(this.#publicError(thrown));
    let scopes: Scopes | Promise<Scopes>;
    try {
      const middlewaresDone = runMiddlewares(middlewares, {
        headers,
        queryArgs: this.#query as GGWebSocketHandshakeContext["queryArgs"],
      });
      scopes = middlewaresDone
        ? middlewaresDone.then(() => resolveScopes(permissionResolver))
        : resolveScopes(permissionResolver);
    } catch (thrown) {
      return refuse(thrown);
    }
    return scopes instanceof Promise ? scopes.then(enter, refuse) : enter(scopes);
  }

  #enter(scopes: Scopes, { agreed, accept }: SharedCapabilities): void {
    const registration = this.#registration;
    const transport = this.#transport;
    const notPermitted = refusal(registration.connectPermission, scopes, registration.apiName);
    if (notPermitted) return this.#refuse(notPermitted);
    if (!this.#listener.isOpen || !registration.expects(transport)) {
      return this.#end("HANDSHAKE_FAILED", CloseCode.GOING_AWAY);
    }
    const handlers = registration.hasRawHandlers ? new RawHandlers() : new Handlers();
    const connection = new ServerConnection(transport, registration, this.#context, handlers, agreed);
    connection.inbox.gate = new ConnectionGate(connection, registration.limits, scopes);
    // Sent as a line of its own: the client does not know of batches before it has read this.
    transport.sendShared(accept);
    registration.arrived(transport);
    registration.joined(connection);
    this.#listener.handOverTo(connection);
    runConnectionHandlers(registration, connection, handlers, this.#query);
  }

  /** An `ERROR` is the middleware's answer to the client; anything else is a defect, logged under the reference it gets. */
  #publicError(thrown: unknown): AnyError {
    const error = thrownError(thrown);
    if (!(thrown instanceof ERROR)) {
      const { apiName, endpoint } = this.#registration;
      endpoint.logger.error(`${apiName}: a middleware failed`, { ref: error.context?.ref, error: thrown });
    }
    return error;
  }

  #refuseTooLarge(): void {
    const { apiName, endpoint } = this.#registration;
    endpoint.logger.warn(`${apiName}: a handshake message was too large`);
    this.#refuse(serverError(`Handshake message of more than ${MAX_HANDSHAKE} characters`), "HANDSHAKE_TOO_LARGE");
  }

  #refuse(error: AnyError, result: ConnectionResult = "HANDSHAKE_FAILED"): void {
    const { apiName, endpoint } = this.#registration;
    endpoint.logger.debug(`${apiName}: a handshake was refused`, { type: error.type });
    this.#transport.send([encodeHandshakeError(errorPayload(error))]);
    this.#end(result, CloseCode.HANDSHAKE_FAILED, "Handshake failed");
  }

  /** There will be no connection. */
  #end(result: ConnectionResult, code?: CloseCode, reason?: string): void {
    this.#registration.metrics.refused(result);
    this.#registration.arrived(this.#transport);
    this.#listener.stop();
    if (code !== undefined) this.#transport.close(code, reason);
  }

  /** Runs a step in the connection's context; what should not happen ends the line. */
  #guard(step: () => void | Promise<void>): void {
    const fail = (error: unknown) => {
      const { apiName, endpoint } = this.#registration;
      endpoint.logger.error(`${apiName}: a connection could not be set up`, { error });
      this.#end("ERROR", CloseCode.INTERNAL_ERROR, "Connection failed");
    };
    try {
      this.#registration.endpoint.scope(() => this.#context.run(step))?.catch(fail);
    } catch (error) {
      fail(error);
    }
  }
}
