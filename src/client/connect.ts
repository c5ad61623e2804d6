import type { GGContext } from "@grest-ts/context";
import type { ERROR } from "@grest-ts/schema";
import type { GGWebSocketHandshakeContext, GGWebSocketMiddleware } from "../contract/middleware.js";
import { CloseCode } from "../protocol/closeCodes.js";
import { decodeFrame, FrameType } from "../protocol/frame.js";
import { decodeHandshakeError, encodeHandshake } from "../protocol/handshake.js";
import { after } from "../socket/deadlines.js";
import type { SocketEndpoint } from "../socket/endpoint.js";
import type { Handlers } from "../socket/handlers.js";
import { readError } from "../socket/outcome.js";
import { GGSocket } from "../socket/socket.js";
import type { Transport, TransportListener } from "../socket/transport.js";
import { closedError, connectionError, withoutQuery } from "./connectionError.js";

/** How long it may take until the line is open, and then until the handshake is answered, in ms. */
const OPEN_TIMEOUT = 10_000;
const HANDSHAKE_TIMEOUT = 5_000;

/** What a connection is made from. */
export interface ConnectPlan {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly endpoint: SocketEndpoint;
  readonly context: GGContext;
  /** Handlers that are there already. */
  readonly handlers?: Handlers;
  /** Gives the attempt up. */
  readonly signal?: AbortSignal;
  dial(url: string): Transport;
}

/** What the middlewares make of a handshake. */
export function prepareHandshake(
  middlewares: readonly GGWebSocketMiddleware[],
  query: object | undefined,
): GGWebSocketHandshakeContext {
  const handshake: GGWebSocketHandshakeContext = { headers: {}, queryArgs: queryStrings(query) };
  for (const middleware of middlewares) middleware.updateHandshake?.(handshake);
  return handshake;
}

/**
 * Opens a line and runs the client's side of the handshake. `onSocket` gets the socket within the same event as the
 * server's answer, before anything that follows it on the wire.
 *
 * @throws ERROR that the server refused with, or a `SERVER_ERROR` that says why there is no connection
 */
export function connect(plan: ConnectPlan, onSocket: (socket: GGSocket) => void): Promise<GGSocket> {
  return new Promise((resolve, reject) => {
    let transport: Transport;
    try {
      plan.signal?.throwIfAborted();
      transport = plan.dial(plan.url);
    } catch (error) {
      reject(connectionError(whereTo(plan), String((error as Error).message), error as Error));
      return;
    }
    new ClientHandshake(plan, transport, onSocket, resolve, reject);
  });
}

/** Hears a new line until the server has answered the handshake. */
class ClientHandshake implements TransportListener {
  #cancelTimeout: () => void;
  #failure: Error | undefined;
  #isOver = false;

  constructor(
    readonly plan: ConnectPlan,
    readonly transport: Transport,
    readonly onSocket: (socket: GGSocket) => void,
    readonly resolve: (socket: GGSocket) => void,
    readonly reject: (error: ERROR<string, unknown>) => void,
  ) {
    this.#cancelTimeout = after(OPEN_TIMEOUT, () => this.#giveUp(`no answer within ${OPEN_TIMEOUT} ms`));
    transport.attach(this);
    plan.signal?.addEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = () => this.#giveUp("it was closed while it was connecting");

  onOpen(): void {
    this.#cancelTimeout();
    this.#cancelTimeout = after(HANDSHAKE_TIMEOUT, () =>
      this.#giveUp(`handshake timeout after ${HANDSHAKE_TIMEOUT} ms`),
    );
    this.transport.send([encodeHandshake(this.plan.headers)]);
  }

  onText(text: string): void {
    const frame = decodeFrame(text);
    if (frame?.type === FrameType.HANDSHAKE_OK) this.#accepted();
    else if (frame?.type === FrameType.HANDSHAKE_ERROR) this.#refused(frame.payload);
  }

  onClosed(code: number, reason: string): void {
    this.#fail(closedError(this.#where, code, reason, this.#failure));
  }

  onFailed(error: Error): void {
    this.#failure ??= error;
  }

  #accepted(): void {
    if (!this.#finish()) return;
    const socket = new GGSocket(this.transport, this.plan.endpoint, this.plan.context, this.plan.handlers);
    this.onSocket(socket);
    this.resolve(socket);
  }

  #refused(payload: string): void {
    const json = decodeHandshakeError(payload);
    this.#fail(readError(json, []) ?? connectionError(this.#where, "the server refused the handshake"));
    this.transport.close(CloseCode.NORMAL);
  }

  #giveUp(why: string): void {
    this.#fail(connectionError(this.#where, why));
    this.transport.terminate();
  }

  #fail(error: ERROR<string, unknown>): void {
    if (this.#finish()) this.reject(error);
  }

  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#cancelTimeout();
    this.plan.signal?.removeEventListener("abort", this.#onAbort);
    return true;
  }

  get #where(): string {
    return whereTo(this.plan);
  }
}

function whereTo(plan: ConnectPlan): string {
  return `${plan.endpoint.apiName}: could not connect to ${withoutQuery(plan.url)}`;
}

function queryStrings(query: object | undefined): Record<string, string> {
  const entries = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, String(value)]));
}
