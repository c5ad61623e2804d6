import type { GGContext } from "@grest-ts/context";
import type { GGWebSocketHandshakeContext, GGWebSocketMiddleware } from "../contract/middleware.js";
import { decodeFrame, FrameType } from "../protocol/frame.js";
import { encodeHandshake } from "../protocol/handshake.js";
import { after } from "../socket/deadlines.js";
import type { SocketEndpoint } from "../socket/endpoint.js";
import type { Handlers } from "../socket/handlers.js";
import { type AnyError, type ErrorClasses, readRefusal } from "../socket/outcome.js";
import { GGSocket } from "../socket/socket.js";
import type { Transport } from "../socket/transport.js";
import { closedWith, connectionError } from "./connectionError.js";

/** How long it may take from dialling to the server's answer, in ms. */
const CONNECT_TIMEOUT = 10_000;

/** What a connection is made from. */
export interface ConnectPlan {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly endpoint: SocketEndpoint;
  readonly context: GGContext;
  /** Errors that the server may refuse with, besides the framework's. */
  readonly knownErrors?: ErrorClasses;
  /** Handlers that are there already. */
  readonly handlers?: Handlers;
  /** Gives the attempt up. */
  readonly signal?: AbortSignal;
  dial(url: string): Transport;
  /** Gets the socket within the same event as the server's answer, before anything that follows it on the wire. */
  onSocket?(socket: GGSocket): void;
}

/** What the middlewares make of a handshake. */
export function prepareHandshake(
  middlewares: readonly GGWebSocketMiddleware[],
  query: object | undefined,
): GGWebSocketHandshakeContext {
  const queryArgs = Object.fromEntries(
    Object.entries(query ?? {}).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
  );
  const handshake: GGWebSocketHandshakeContext = { headers: {}, queryArgs };
  for (const middleware of middlewares) middleware.updateHandshake?.(handshake);
  return handshake;
}

/**
 * Opens a line and runs the client's side of the handshake.
 *
 * @throws ERROR that the server refused with, or a `SERVER_ERROR` that says why there is no connection
 */
export function connect({
  url,
  headers,
  endpoint,
  context,
  handlers,
  knownErrors = [],
  signal,
  dial,
  onSocket,
}: ConnectPlan): Promise<GGSocket> {
  // Without the query: it may hold a credential.
  const where = `${endpoint.apiName}: could not connect to ${url.split("?")[0]}`;
  return new Promise((resolve, reject) => {
    let transport: Transport | undefined;
    let failure: Error | undefined;
    let isOver = false;

    const finish = (error?: AnyError) => {
      isOver = true;
      cancelTimeout();
      signal?.removeEventListener("abort", onAbort);
      if (error) reject(error);
    };
    const giveUp = (why: string, cause?: Error) => {
      finish(connectionError(where, why, cause));
      transport?.terminate();
    };
    const onAbort = () => giveUp("the client was closed meanwhile");
    const cancelTimeout = after(CONNECT_TIMEOUT, () => giveUp(`no answer within ${CONNECT_TIMEOUT} ms`));

    if (signal?.aborted) return onAbort();
    signal?.addEventListener("abort", onAbort);
    try {
      transport = dial(url);
    } catch (error) {
      return giveUp((error as Error).message, error as Error);
    }
    const line = transport;
    line.attach({
      onOpen: () => line.send([encodeHandshake(headers)]),
      onText(text) {
        const { type, payload } = decodeFrame(text);
        if (isOver) return;
        if (type === FrameType.HANDSHAKE_OK) {
          finish();
          const socket = new GGSocket(line, endpoint, context, handlers);
          onSocket?.(socket);
          resolve(socket);
        } else if (type === FrameType.HANDSHAKE_ERROR) {
          finish(
            readRefusal(parse(payload), knownErrors) ?? connectionError(where, "the server refused the handshake"),
          );
          line.close();
        }
      },
      onClosed(code, reason) {
        finish(connectionError(where, failure?.message ?? closedWith(code, reason), failure, code));
      },
      onFailed(error) {
        failure ??= error;
      },
    });
  });
}

function parse(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}
