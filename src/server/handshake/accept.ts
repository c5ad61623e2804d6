import type { IncomingMessage } from "node:http";
import { GGContext } from "@grest-ts/context";
import { GG_WS_CONNECTION } from "../../api/contextKeys.js";
import type { GGWebSocketHandshakeContext } from "../../api/middleware.js";
import type { AnyValidator } from "../../api/standardSchema.js";
import { setDeadline } from "../../connection/deadlines.js";
import type { SocketEndpoint } from "../../connection/endpoint.js";
import { Handlers } from "../../connection/methods/handlers.js";
import { type AnyError, errorFrame, serverError, thrownError } from "../../connection/methods/outcome.js";
import { RawHandlers } from "../../connection/raw/rawHandlers.js";
import { beginTrace } from "../../connection/trace.js";
import { CAPABILITIES_MEMBER } from "../../protocol/capabilities.js";
import { CloseCode } from "../../protocol/closeCodes.js";
import { encodeHandshakeError } from "../../protocol/handshake.js";
import { parseQuery, type QueryArgs } from "../../protocol/query.js";
import { RESUME_MEMBER, type Resumption, readResumption } from "../../protocol/resume.js";
import type { WsTransport } from "../../transport/node/ws.js";
import { answeredAtOnce } from "../answeredAtOnce.js";
import { ConnectionAddress } from "../connection/connectionAddress.js";
import { endpointOf } from "../connection/endpoint.js";
import { ServerConnection } from "../connection/serverConnection.js";
import type { Slot } from "../ledger.js";
import type { ConnectionResult } from "../metrics.js";
import type { ServedApi } from "../servedApi.js";
import type { AgreedCapabilities } from "./capabilities.js";
import { runConnectionHandlers } from "./connectionHandler.js";
import { HandshakeContext, UpgradeRequest } from "./handshakeContext.js";
import { HandshakeListener, type HandshakeResult, MAX_HANDSHAKE } from "./listener.js";
import { runMiddlewares } from "./middlewares.js";
import { checkPermission, resolveScopes, type Scopes } from "./permissions.js";
import { checkQuery } from "./query.js";

/** How long a client may take to send its handshake message, in ms. */
const HANDSHAKE_TIMEOUT = 5_000;

/** How long a connection handler may take to set whose connection it is, to be reached by earlier revocations, in ms. */
const IDENTITY_TIMEOUT = 30_000;

/** A socket that was upgraded, and what is known about it. */
export interface Upgraded {
  readonly transport: WsTransport;
  readonly slot: Slot;
  readonly request: IncomingMessage;
  /** The text after the `?` of its URL. */
  readonly query: string;
}

/** Takes an upgraded socket through query check, handshake and permissions to its connection handler. Never throws. */
export function acceptUpgraded(api: ServedApi, upgraded: Upgraded): void {
  new Handshake(api, upgraded).begin();
}

/** The server's side of one handshake. Makes no promise where the program makes none: promises cost the most here. */
class Handshake {
  readonly #api: ServedApi;
  readonly #transport: WsTransport;
  readonly #slot: Slot;
  readonly #request: IncomingMessage;
  readonly #context = new GGContext("ws-connection");
  readonly #listener: HandshakeListener;
  /** The raw arguments, and once they are checked what the validator made of them. */
  #query: unknown;

  constructor(api: ServedApi, { transport, slot, request, query }: Upgraded) {
    this.#api = api;
    this.#transport = transport;
    this.#slot = slot;
    this.#request = request;
    this.#query = parseQuery(query);
    this.#context.set(GG_WS_CONNECTION, new ConnectionAddress(api.port, api.path, slot));
    beginTrace(this.#context);
    this.#listener = new HandshakeListener(transport, HANDSHAKE_TIMEOUT, {
      onResult: (result) => this.#guard(() => this.#proceed(result)),
      onGone: () => api.handshakes.ended(transport),
      onError: (error) => api.transportFailed(error, this.#endpoint),
    });
  }

  /** Made when something is logged: most handshakes log nothing. */
  get #endpoint(): SocketEndpoint {
    return endpointOf(this.#api.endpoint, this.#slot);
  }

  begin(): void {
    const { handshakes, queryValidator } = this.#api;
    handshakes.started(this.#transport, this.#context, this.#slot);
    if (queryValidator) this.#guard(() => this.#checkQuery(queryValidator), "the query validator failed");
  }

  #checkQuery(validator: AnyValidator<unknown>): void {
    const query = checkQuery(validator, this.#query as QueryArgs);
    if (query.success) this.#query = query.value;
    else this.#end("QUERY_INVALID", CloseCode.QUERY_INVALID, "Invalid query parameters");
  }

  #proceed(headers: HandshakeResult): void | Promise<void> {
    const { capabilities, middlewares, permissionResolver } = this.#api;
    if (headers === "closed") return this.#end("HANDSHAKE_FAILED");
    if (headers === "timeout") return this.#refuse(serverError("Handshake timeout"));
    if (headers === "too large") return this.#refuseTooLarge();
    const agreed = capabilities.agreeOn(headers[CAPABILITIES_MEMBER]);
    delete headers[CAPABILITIES_MEMBER];
    let resumption: Resumption | undefined;
    if (agreed.agreed.has("resume")) {
      resumption = readResumption(headers[RESUME_MEMBER]);
      delete headers[RESUME_MEMBER];
    }
    const enter = (scopes: Scopes) => this.#enter(scopes, agreed, resumption);
    let asked = "a middleware";
    const resolve = () => {
      asked = "the permission resolver";
      return resolveScopes(permissionResolver);
    };
    const refuse = (thrown: unknown) => this.#refuse(this.#publicError(thrown, asked));
    let scopes: Scopes | Promise<Scopes>;
    try {
      const queryArgs = this.#query as GGWebSocketHandshakeContext["queryArgs"];
      const request = new UpgradeRequest(this.#request, this.#slot.address);
      const middlewaresDone = runMiddlewares(middlewares, new HandshakeContext(headers, queryArgs, request));
      scopes = middlewaresDone ? middlewaresDone.then(resolve) : resolve();
    } catch (thrown) {
      return refuse(thrown);
    }
    return scopes instanceof Promise ? scopes.then(enter, refuse) : enter(scopes);
  }

  #enter(scopes: Scopes, { agreed, accept }: AgreedCapabilities, resumption?: Resumption): void {
    const api = this.#api;
    const transport = this.#transport;
    const notPermitted = checkPermission(api.connectPermission, scopes, api.apiName);
    if (notPermitted) return this.#refuse(notPermitted);
    // During the middlewares the client may have gone, the API begun to close, the user been revoked.
    const revocation = api.handshakes.takeRevocation(transport);
    if (revocation) return this.#end("HANDSHAKE_FAILED", revocation.code, revocation.reason);
    if (!this.#listener.isOpen || !api.handshakes.isPending(transport)) {
      return this.#end("HANDSHAKE_FAILED", CloseCode.GOING_AWAY);
    }
    let keys: readonly string[];
    try {
      keys = this.#keys();
    } catch (thrown) {
      return this.#refuse(this.#publicError(thrown, "keys"));
    }
    const handlers = api.rawHandlers.size > 0 ? new RawHandlers() : new Handlers();
    const slot = this.#slot;
    const connection = new ServerConnection(transport, api, slot, this.#context, handlers, agreed, scopes, resumption);
    // Not in a batch: the client accepts batches only once it has read this.
    transport.sendShared(accept);
    transport.limitMessages(api.limits.maxPayloadBytes);
    api.handshakes.accepted(transport);
    api.connectionOpened(connection, keys);
    this.#listener.handOverTo(connection);
    const settle = () => {
      cancel?.();
      // The identity may have been set by a connection handler, after the revocation.
      const late = api.handshakes.takeRevocation(transport);
      if (late) connection.close(late.code, late.reason);
      api.handshakes.ended(transport);
    };
    let cancel: (() => void) | undefined;
    runConnectionHandlers(api, connection, handlers, this.#query, settle);
    // A handler may run for as long as its connection: revocations are not kept for so long.
    if (api.handshakes.isPending(transport)) cancel = setDeadline(IDENTITY_TIMEOUT, settle);
  }

  #keys(): readonly string[] {
    const keys: unknown = answeredAtOnce(this.#api.keys?.()) ?? [];
    if (Array.isArray(keys) && keys.every((key) => typeof key === "string")) return keys;
    throw new TypeError("keys must return a list of texts");
  }

  /**
   * An `ERROR` is the program's answer to the client; anything else is a defect, logged under the reference it gets.
   */
  #publicError(thrown: unknown, asked: string): AnyError {
    const error = thrownError(thrown);
    if (error !== thrown) {
      const { apiName, logger } = this.#endpoint;
      logger.error(`${apiName}: ${asked} failed`, { ref: error.context?.ref, error: thrown });
    }
    return error;
  }

  #refuseTooLarge(): void {
    const { apiName, logger } = this.#endpoint;
    logger.warn(`${apiName}: a handshake message was too large`);
    this.#refuse(serverError(`Handshake message of more than ${MAX_HANDSHAKE} characters`), "HANDSHAKE_TOO_LARGE");
  }

  #refuse(error: AnyError, result: ConnectionResult = "HANDSHAKE_FAILED"): void {
    const { apiName, logger } = this.#endpoint;
    logger.debug(`${apiName}: a handshake was refused`, { type: error.type });
    const frame = errorFrame(encodeHandshakeError(""), error, (reason) => {
      const ref = error.context?.ref;
      logger.error(`${apiName}: the error of a handshake cannot be sent`, { ref, error, reason });
    });
    this.#transport.send([frame]);
    this.#end(result, CloseCode.HANDSHAKE_FAILED, "Handshake failed");
  }

  /** Ends the handshake without a connection. */
  #end(result: ConnectionResult, code?: number, reason?: string): void {
    this.#api.metrics.refused(result);
    this.#api.handshakes.ended(this.#transport);
    this.#listener.stop();
    if (code !== undefined) this.#transport.close(code, reason);
  }

  /** Runs a step in the connection's context; a defect in it closes the transport. */
  #guard(step: () => void | Promise<void>, failure = "a connection could not be set up"): void {
    const fail = (error: unknown) => {
      const { apiName, logger } = this.#endpoint;
      logger.error(`${apiName}: ${failure}`, { error });
      this.#end("ERROR", CloseCode.INTERNAL_ERROR, "Connection failed");
    };
    try {
      this.#api.endpoint.asyncScope(() => this.#context.run(step))?.catch(fail);
    } catch (error) {
      fail(error);
    }
  }
}
