import type { AsyncScope } from "../socket/endpoint.js";
import type { Transport } from "../socket/transport.js";

/** What differs between a client in Node and one in a browser. */
export interface ClientPlatform {
  /** Begins to open a line to a `ws:` or `wss:` URL. */
  dial(url: string): Transport;
  /** Captures the context of its caller, for callbacks to run in. */
  captureScope(): AsyncScope;
  /** The origin that `url: ""` stands for, for example `https://app.example`; `undefined` where there is none. */
  pageOrigin(): string | undefined;
  /** Finds the base URL of an API that was given none. */
  discover(apiName: string): Promise<string>;
  /** Calls back, until aborted, when connecting is likely to work again: the network or the page is back. */
  onWake(callback: () => void, signal: AbortSignal): void;
}
