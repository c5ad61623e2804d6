import { GGContext, GGContextStore } from "@grest-ts/context";
import { GG_WS_CONNECTION } from "../api/contextKeys.js";
import { asFailure, failureOf } from "../api/failure.js";
import type { GGWebSocketHandshakeContext, GGWebSocketMiddleware } from "../api/middleware.js";
import type { AnyValidator } from "../api/standardSchema.js";
import { setDeadline } from "../connection/deadlines.js";
import { clean } from "../connection/methods/clean.js";
import { type AnyError, type ErrorClasses, isThenable, readRefusal } from "../connection/methods/outcome.js";
import { acceptedCapabilities, type Capabilities } from "../protocol/capabilities.js";
import { CloseCode } from "../protocol/closeCodes.js";
import { decodeFrame, FrameType, parsePayload } from "../protocol/frame.js";
import { encodeHandshake } from "../protocol/handshake.js";
import type { QueryArgs } from "../protocol/query.js";
import type { Transport } from "../transport/transport.js";
import { ABORTED, type ConnectionFailure, closedWith, connectionError } from "./errors.js";
import type { ClientPlatform } from "./platform/platform.js";
import { absolutePath, hostOnly, invalidQuery, readArgs, withoutSecrets } from "./url.js";

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
  readonly offered?: readonly string[];
  /** Gets a function that aborts the attempt while it is pending. */
  onBegin?(giveUp: () => void): void;
  dial(url: string): Transport;
  /** Takes over the transport within the same event as the server's answer, before any frame that follows it. */
  onAccepted(transport: Transport, agreed: Capabilities): T;
}

/** What a connection is asked for with, and the context that it and its middlewares run in. */
export interface PreparedHandshake {
  readonly headers: Readonly<Record<string, string>>;
  readonly queryArgs: QueryArgs;
  readonly context: GGContext;
}

/**
 * Query arguments as text.
 *
 * @throws VALIDATION_ERROR when they do not pass their validator, or a query cannot carry one
 */
export function readQuery(query: unknown, validator?: AnyValidator<unknown>): QueryArgs {
  return readArgs(Object(validator ? clean(validator, query, invalidQuery) : query));
}

/** The context of an attempt to connect and of its connection, below the caller's: what is set there reaches handlers only. */
export function attemptContext({ beginTrace }: ClientPlatform, path: string): GGContext {
  const context = new GGContext("ws-client-connection", GGContextStore.tryGetContext());
  context.set(GG_WS_CONNECTION, { path: absolutePath(path) });
  beginTrace?.(context);
  return context;
}

/**
 * What the middlewares make of a handshake with these query arguments, in the context of the attempt.
 *
 * @throws SERVER_ERROR for a header that is not text, in Node
 */
export async function prepareHandshake(
  { completeHeaders }: ClientPlatform,
  context: GGContext,
  middlewares: readonly GGWebSocketMiddleware[],
  queryArgs: QueryArgs,
): Promise<PreparedHandshake> {
  const handshake = { headers: {}, queryArgs };
  for (const middleware of middlewares) {
    const pending = context.run(() => middleware.updateHandshake?.(handshake as GGWebSocketHandshakeContext));
    if (isThenable(pending)) await pending;
  }
  completeHeaders?.(handshake.headers);
  return { ...handshake, context };
}

/**
 * Opens a transport and runs the client's side of the handshake.
 *
 * @returns what `onAccepted` returned
 * @throws ERROR that the server refused with, or a `SERVER_ERROR` that says why there is no connection
 */
export function connect<T>({
  apiName,
  url,
  headers,
  knownErrors = [],
  offered: capabilities = [],
  onBegin,
  dial,
  onAccepted: accept,
}: ConnectPlan<T>): Promise<T> {
  const where = `${apiName}: could not connect to ${withoutSecrets(url)}`;
  return new Promise((resolve, reject) => {
    /** Set while the server's answer is awaited. */
    let transport: Transport | undefined;
    /** What the network reported. */
    let cause: Error | undefined;
    /** What is missing. */
    let missing = "no answer to the upgrade";

    const cleanUp = () => {
      cancelTimeout();
      transport = undefined;
    };
    const fail = (error: AnyError) => {
      reject(error);
      transport?.terminate();
      cleanUp();
    };
    const failed = (why: string, failure: ConnectionFailure) =>
      fail(connectionError(where, why, { cause, ...failure }));
    // Before anything is opened: a header may have no JSON text.
    const opening = encodeHandshake(headers, capabilities);
    const cancelTimeout = setDeadline(CONNECT_TIMEOUT, () =>
      failed(`${missing} within ${CONNECT_TIMEOUT} ms`, { reason: "timeout" }),
    );

    try {
      transport = dial(url);
    } catch (error) {
      // Not as the cause of the failure: its text may show the whole URL.
      return fail(
        connectionError(`${apiName}: could not connect to ${hostOnly(url)}`, hostOnly(Object(error).message), {
          reason: "invalid-input",
        }),
      );
    }
    transport.attach({
      onOpen() {
        missing = "open, but no handshake reply";
        transport?.send([opening]);
      },
      onText(text) {
        const { type, payload } = decodeFrame(text);
        if (!transport) return;
        if (type === FrameType.HANDSHAKE_OK) resolve(accept(transport, acceptedCapabilities(payload, capabilities)));
        else if (type === FrameType.HANDSHAKE_ERROR) {
          const error =
            readRefusal(parsePayload(payload), knownErrors) ??
            connectionError(where, "the server refused", { reason: "refused" });
          reject(asFailure(error, { reason: "refused", wasSent: false }));
          transport.close(CloseCode.NORMAL);
        } else return;
        cleanUp();
      },
      onClosed: (closeCode, text) =>
        failed(cause?.message ?? closedWith(closeCode, text), {
          reason: failureOf(cause)?.reason ?? (cause ? "unreachable" : "refused"),
          closeCode,
        }),
      onFailed(error) {
        cause ??= error;
      },
    });
    onBegin?.(() => transport && failed(...ABORTED));
  });
}
