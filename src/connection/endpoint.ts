import type { GGContext } from "@grest-ts/context";
import type { GGWebSocketLogger } from "../api/logger.js";
import type { GGCallOptions } from "../api/methodTypes.js";
import type { Calls, PendingCalls } from "./calls.js";
import type { Connection } from "./connection.js";
import type { Inbox } from "./inbox.js";
import type { IncomingMessage } from "./incomingMessage.js";
import type { PayloadParser } from "./methods/compiledMethod.js";
import type { MethodTable } from "./methods/methodTable.js";
import type { AnyError } from "./methods/outcome.js";

/** Calls a function in an async context that was captured earlier. */
export type AsyncScope = <TArgs extends unknown[], T>(fn: (...args: TArgs) => T, ...args: TArgs) => T;

/**
 * Where traffic is counted. Paths are those of the contract, or `"unknown"`; `startedAt`, on the clock of
 * `performance.now()`, is absent when there is nothing to time.
 */
export interface SocketMetrics {
  /** Called inside the endpoint's scope. */
  handled(path: string, result: string, startedAt?: number): void;
  /** Called in any scope; `count` messages at once. */
  sent(path: string, result: string, startedAt?: number, count?: number): void;
}

/** Why a message is not handled: what a request is answered with, and the `result` that the metrics show. */
export interface MessageRejection {
  readonly error: AnyError;
  readonly result: string;
}

/** What all connections of one registration, or of one client, have in common. */
export interface SocketEndpoint {
  /** Names the API in errors and logs. */
  readonly apiName: string;
  /** What the peer may call. */
  readonly methodTable: MethodTable;
  readonly logger: GGWebSocketLogger;
  /** A client counts nothing. */
  readonly metrics?: SocketMetrics;
  /** How long a call waits for its reply by default, in ms. */
  readonly timeout: number;
  /** Everything that a connection calls back runs in here. */
  readonly asyncScope: AsyncScope;
  /**
   * Parses a payload for a schema, or gives `undefined` for one that nests too deep or has too many values for this
   * end; absent in pages, where the platform's own limit is enough.
   */
  readonly parseLimited?: PayloadParser;
  /** What a message is at this end; absent in pages, where nothing carries a trace through an `await`. */
  readonly Message?: typeof IncomingMessage;
  /** How this end takes messages; absent in pages, which admit all that their server sends. */
  readonly Inbox?: typeof Inbox;
  /** How this end makes calls; absent in pages in production, where options are not checked. */
  readonly Calls?: typeof Calls;
  /** Where this end keeps calls that wait; absent in pages, which do not make enough of them for a `Map` to grow old. */
  readonly PendingCalls?: new () => PendingCalls;
  /** A signal may be that of many calls; absent in pages, which do not warn of that. */
  readonly shareSignal?: (signal: AbortSignal) => void;
  /** Whether a message of the contract that has no handler is a defect: a client handles those that it cares about. */
  readonly mustHandleAll?: boolean;
  /**
   * Waits while what was sent goes out, as long as the peer takes bytes; logs how many were not sent. Resolves with the
   * time in ms that the peer gets to answer a close, unless it is the usual. Absent in pages, which send all at a close.
   */
  whenSent?(connection: Connection): Promise<number | undefined>;
  /** Returns an error for call options that cannot be; absent in pages in production. */
  readonly checkCallOptions?: (path: string, options: GGCallOptions) => AnyError | undefined;
  /** A connection has ended. */
  onConnectionClosed?(connection: Connection, code: number): void;
}

/** How long a call waits for its reply unless the program says otherwise, in ms. */
export const CALL_TIMEOUT = 30_000;

/** Runs a callback of the program; what it throws, at once or later, is logged under its name and stops nothing. */
export async function runCallback(
  endpoint: Pick<SocketEndpoint, "apiName" | "logger" | "asyncScope">,
  context: GGContext,
  name: string,
  callback: () => unknown,
): Promise<void> {
  try {
    await endpoint.asyncScope(() => context.run(callback));
  } catch (error) {
    callbackFailed(endpoint, name, error);
  }
}

/** Logs that a callback of the program has failed. */
export function callbackFailed(
  { apiName, logger }: Pick<SocketEndpoint, "apiName" | "logger">,
  name: string,
  error: unknown,
): void {
  logger.error(`${apiName}: the ${name} callback failed`, { error });
}
