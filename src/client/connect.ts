import type { GGWebSocketHandshakeContext, GGWebSocketMiddleware } from "../contract/middleware.js";
import { acceptedCapabilities, type Capabilities } from "../protocol/capabilities.js";
import { CloseCode } from "../protocol/closeCodes.js";
import { decodeFrame, FrameType, parsePayload } from "../protocol/frame.js";
import { encodeHandshake } from "../protocol/handshake.js";
import { after } from "../socket/deadlines.js";
import { type AnyError, type ErrorClasses, readRefusal } from "../socket/outcome.js";
import type { Transport } from "../socket/transport.js";
import { CLOSED_MEANWHILE, closedWith, connectionError } from "./connectionError.js";

/** How long it may take from dialling to the server's answer, in ms. */
const CONNECT_TIMEOUT = 10_000;

/** What a connection is made from. */
export interface ConnectPlan<T> {
  /** Names the API in errors. */
  readonly apiName: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Errors that the server may refuse with, besides the framework's. */
  readonly knownErrors?: ErrorClasses;
  /** What this end can do beyond 0.0.39, by name; nothing when absent. */
  readonly capabilities?: readonly string[];
  /** Gives the attempt up. */
  readonly signal?: AbortSignal;
  dial(url: string): Transport;
  /** Takes over the line within the same event as the server's answer, before anything that follows it on the wire. */
  accept(transport: Transport, agreed: Capabilities): T;
}

/** What the middlewares make of a handshake. */
export function prepareHandshake(
  middlewares: readonly GGWebSocketMiddleware[] = [],
  query?: object,
): GGWebSocketHandshakeContext {
  const handshake: GGWebSocketHandshakeContext = { headers: {}, queryArgs: {} };
  for (const [key, value] of Object.entries(query ?? {}))
    if (value !== undefined) handshake.queryArgs[key] = String(value);
  for (const middleware of middlewares) middleware.updateHandshake?.(handshake);
  return handshake;
}

/**
 * Opens a line and runs the client's side of the handshake.
 *
 * @returns what `accept` made of the line
 * @throws ERROR that the server refused with, or a `SERVER_ERROR` that says why there is no connection
 */
export function connect<T>({
  apiName,
  url,
  headers,
  knownErrors = [],
  capabilities = [],
  signal,
  dial,
  accept,
}: ConnectPlan<T>): Promise<T> {
  // Without the query: it may hold a credential.
  const where = `${apiName}: could not connect to ${url.split("?")[0]}`;
  return new Promise((resolve, reject) => {
    let transport: Transport | undefined;
    let failure: Error | undefined;
    let isOver = false;

    const finish = () => {
      isOver = true;
      cancelTimeout();
    };
    const fail = (error: AnyError) => {
      finish();
      reject(error);
    };
    const giveUp = (why: string, cause?: Error) => {
      if (isOver) return;
      fail(connectionError(where, why, cause));
      transport?.terminate();
    };
    const cancelTimeout = after(CONNECT_TIMEOUT, () => giveUp(`no answer within ${CONNECT_TIMEOUT} ms`));

    signal?.addEventListener("abort", () => giveUp(CLOSED_MEANWHILE));
    try {
      signal?.throwIfAborted();
      transport = dial(url);
    } catch (error) {
      return giveUp((error as Error).message, error as Error);
    }
    const line = transport;
    line.attach({
      onOpen: () => line.send([encodeHandshake(headers, capabilities)]),
      onText(text) {
        const { type, payload } = decodeFrame(text);
        if (isOver) return;
        if (type === FrameType.HANDSHAKE_OK) {
          finish();
          resolve(accept(line, acceptedCapabilities(payload, capabilities)));
        } else if (type === FrameType.HANDSHAKE_ERROR) {
          fail(
            readRefusal(parsePayload(payload), knownErrors) ??
              connectionError(where, "the server refused the handshake"),
          );
          line.close(CloseCode.NORMAL);
        }
      },
      onClosed: (code, reason) =>
        fail(connectionError(where, failure?.message ?? closedWith(code, reason), failure, code)),
      onFailed(error) {
        failure ??= error;
      },
    });
  });
}
