import type { GGContext } from "@grest-ts/context";
import type { GGWebSocketClientConfig } from "../../api/client.js";
import type { GGWebSocketLogger } from "../../api/logger.js";
import type { AsyncScope, SocketEndpoint } from "../../connection/endpoint.js";
import type { GGWebSocketCapability } from "../../protocol/capabilities.js";
import type { Transport } from "../../transport/transport.js";

/** How a connection is opened. */
export type DialOptions = Pick<GGWebSocketClientConfig, "webSocket" | "connectOptions">;

/** What differs between a client in Node and one in a browser. */
export interface ClientPlatform {
  /** Begins to connect to a `ws:` or `wss:` URL, through the class when one is given. */
  dial(url: string, how?: DialOptions): Transport;
  /** Captures the context of its caller, for callbacks to run in. */
  captureScope(): AsyncScope;
  /** Warns of too many set-ups, given how many a session has; absent in production builds for pages. */
  checkSetups?(count: number): void;
  /** Where the log of an API goes, given what the program says and its scope. */
  logger(given: GGWebSocketLogger | undefined, apiName: string, scope: AsyncScope): GGWebSocketLogger;
  /** Gives a connection's context a trace; absent in pages, where nothing carries a context through an `await`. */
  beginTrace?(context: GGContext): void;
  /** The capabilities that a client offers which does nothing else about them. */
  readonly offered: readonly GGWebSocketCapability[];
  /**
   * Checks and completes the headers of a handshake. Throws a `SERVER_ERROR` that names one which is not text; not in pages,
   * whose servers ignore such ones.
   */
  completeHeaders?(headers: Record<string, string>): void;
  /** What endpoints have that a page does without. */
  readonly endpoint?: Pick<
    SocketEndpoint,
    "parseLimited" | "Message" | "Inbox" | "Calls" | "PendingCalls" | "shareSignal" | "checkCallOptions" | "whenSent"
  >;
  /**
   * Finds the base URL of an API that was given none (`undefined`), or `""`, which stands for the page's own origin.
   */
  locate(apiName: string, url?: string | URL): string | Promise<string>;
  /** Calls back when connecting is likely to work again: the network or the page is back. Returns what ends that. */
  onWake(callback: () => void): () => void;
}
