import type { GGValidator } from "@grest-ts/schema";
import type { GGWebSocketHandshakeContext, GGWebSocketMiddleware } from "../contract/middleware.js";
import { acceptedCapabilities, type Capabilities } from "../protocol/capabilities.js";
import { CloseCode } from "../protocol/closeCodes.js";
import { decodeFrame, FrameType, parsePayload } from "../protocol/frame.js";
import { encodeHandshake } from "../protocol/handshake.js";
import { clean } from "../socket/compiledMethod.js";
import { after } from "../socket/deadlines.js";
import { type ErrorClasses, invalidArguments, readRefusal } from "../socket/outcome.js";
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
  /** Gets what gives the attempt up, for as long as its outcome is open. */
  onBegin?(giveUp: () => void): void;
  dial(url: string): Transport;
  /** Takes over the line within the same event as the server's answer, before anything that follows it on the wire. */
  accept(transport: Transport, agreed: Capabilities): T;
}

/**
 * What the middlewares make of a handshake with these query arguments.
 *
 * @throws VALIDATION_ERROR when they do not pass their validator
 */
export function prepareHandshake(
  middlewares: readonly GGWebSocketMiddleware[] = [],
  query: unknown = {},
  validator?: GGValidator<unknown>,
): GGWebSocketHandshakeContext {
  const handshake: GGWebSocketHandshakeContext = { headers: {}, queryArgs: {} };
  const checked = validator ? clean(validator, query, invalidArguments) : query;
  for (const [key, value] of Object.entries(Object(checked)))
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
  onBegin,
  dial,
  accept,
}: ConnectPlan<T>): Promise<T> {
  // Without the query: it may hold a credential.
  const where = `${apiName}: could not connect to ${url.split("?")[0]}`;
  return new Promise((resolve, reject) => {
    /** The line for as long as its answer is awaited. */
    let line: Transport | undefined;
    let failure: Error | undefined;

    const finish = () => {
      cancelTimeout();
      line = undefined;
    };
    const fail = (why: string, code?: CloseCode) => {
      reject(connectionError(where, why, code, failure));
      line?.terminate();
      finish();
    };
    const cancelTimeout = after(CONNECT_TIMEOUT, () => fail(`no answer within ${CONNECT_TIMEOUT} ms`));

    try {
      line = dial(url);
    } catch (error) {
      failure = error as Error;
      return fail(failure.message);
    }
    line.attach({
      onOpen: () => line?.send([encodeHandshake(headers, capabilities)]),
      onText(text) {
        const { type, payload } = decodeFrame(text);
        if (!line) return;
        if (type === FrameType.HANDSHAKE_OK) resolve(accept(line, acceptedCapabilities(payload, capabilities)));
        else if (type === FrameType.HANDSHAKE_ERROR) {
          const refusal = readRefusal(parsePayload(payload), knownErrors);
          reject(refusal ?? connectionError(where, "the server refused"));
          line.close(CloseCode.NORMAL);
        } else return;
        finish();
      },
      onClosed: (code, reason) => fail(failure?.message ?? closedWith(code, reason), code),
      onFailed(error) {
        failure ??= error;
      },
    });
    onBegin?.(() => line && fail(CLOSED_MEANWHILE));
  });
}
