import type { AsyncScope } from "../socket/endpoint.js";
import type { Transport } from "../socket/transport.js";

/** What differs between a client in Node and one in a browser. */
export interface ClientPlatform {
  /** Begins to open a line to a `ws:` or `wss:` URL, through the class when one is given. */
  dial(url: string, webSocket?: new (url: string) => WebSocket): Transport;
  /** Captures the context of its caller, for callbacks to run in. */
  captureScope(): AsyncScope;
  /** See `SocketEndpoint`. */
  isTooDeep?(payload: string): boolean;
  /** Finds the base URL of an API that was given none (`undefined`), or `""`, which stands for the page's own origin. */
  locate(apiName: string, url?: string): string | Promise<string>;
  /** Calls back when connecting is likely to work again: the network or the page is back. Returns what ends that. */
  onWake(callback: () => void): () => void;
}
