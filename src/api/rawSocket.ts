import type { GGContext } from "@grest-ts/context";
import type { Unsubscribe } from "./unsubscribe.js";

/** A custom transport, for `GGSocketPool.setAdapter` and `new GGSocket`: a proxy, a mock, another WebSocket. */
export interface SocketAdapter {
  /** Sends one text message. */
  send(message: string): void;
  /** Closes the connection. */
  close(): void;
  /** Calls `handler` once the connection is open. */
  onOpen(handler: () => void): void;
  /** Calls `handler` with each text message that arrives. */
  onMessage(handler: (message: string) => void): void;
  /** Calls `handler` once the connection has ended. */
  onClose(handler: () => void): void;
  /** Calls `handler` with errors of the connection. */
  onError(handler: (error: Error) => void): void;
  /** Takes a handler of `onOpen` back. */
  offOpen(handler: () => void): void;
  /** Takes a handler of `onMessage` back. */
  offMessage(handler: (message: string) => void): void;
  /** Takes a handler of `onClose` back. */
  offClose(handler: () => void): void;
  /** Takes a handler of `onError` back. */
  offError(handler: (error: Error) => void): void;
}

/** The class of an adapter; it begins to connect when it is made. */
export type SocketAdapterClass = new (url: string) => SocketAdapter;

/** Options of `new GGSocket(adapter, config)`. */
export interface GGSocketConfig {
  /** Names the socket in errors and logs. Default `"GGSocket"`. */
  readonly apiName?: string | undefined;
  /** What `GG_WS_CONNECTION` says the path is. Default `""`. */
  readonly socketPath?: string | undefined;
  /** The context that handlers and callbacks run in. Default: a child of the caller's. */
  readonly connectionContext?: GGContext | undefined;
}

/** A handler at the raw level, where no contract applies. */
export interface SocketHandlerConfig {
  /** The full path, for example `"ChatApi.newMessage"`. */
  readonly path: string;
  /** Gets the parsed payload. What it returns, or resolves to, answers a request. */
  handler(data: unknown): unknown;
}

/** A reply at the raw level, as it came. */
export interface SocketReply {
  /** Whether the other end has answered with a result. */
  readonly success: boolean;
  /** `"OK"`, or the type of the error. */
  readonly type: string;
  /** The result, or the data of the error; absent when there is none. */
  readonly data?: unknown | undefined;
}

/**
 * A connection without a contract: paths and payloads as they are. It comes from `GGSocketPool`, from the
 * `onConnection` of a `GGSocketServer`, or is made of an adapter whose handshake is done.
 */
export interface GGSocket {
  /** Whether messages can be sent. */
  readonly isOpen: boolean;
  /** How many requests wait for their reply. */
  readonly pendingRequestCount: number;
  /**
   * Sends to any path, without a contract.
   *
   * @param expectsResponse whether to wait for the reply, which comes as it is: `{success, type, data}`
   * @param timeoutMs how long to wait, in ms; default 30,000
   * @throws Error when the connection is closed. A time-out or a lost connection is a reply of type `SERVER_ERROR`.
   */
  send(path: string, body: unknown, expectsResponse: true, timeoutMs?: number): Promise<SocketReply>;
  send(path: string, body?: unknown, expectsResponse?: boolean, timeoutMs?: number): Promise<SocketReply | undefined>;
  /**
   * Handles a path that no contract describes; on a served API the methods of its contract come first. A later handler
   * of the same path replaces the earlier one for good. Returns what takes the handler back.
   */
  registerHandler(config: SocketHandlerConfig): Unsubscribe;
  /** Removes the handler of a path. */
  unregisterHandler(path: string): void;
  /**
   * Is called with messages that nothing handles; a later handler replaces the earlier one. A request that nothing handles
   * is answered with `ROUTE_NOT_FOUND`. Returns what takes the handler back.
   */
  setUnknownMessageHandler(handler: (path: string, data: unknown) => void): Unsubscribe;
  /**
   * Runs `callback` with errors that belong to no call: of the transport, and of messages that failed. Returns what takes
   * it back, and is the socket as well, as with the next two.
   */
  onError(callback: (error: Error) => void): Unsubscribe & this;
  /** Runs `callback` in `teardown()` and awaits it: after calls and handlers, before the connection is closed. */
  onTearDown(callback: () => Promise<void>): Unsubscribe & this;
  /** Runs `callback` once when the connection has closed, with close code and reason; at once when it already has. */
  onClose(callback: (code: number, reason: string) => void): Unsubscribe & this;
  /**
   * Waits for what is in flight, then for the `onTearDown` callbacks, each for at most 5,000 ms by default, and closes.
   */
  teardown(pendingMs?: number, callbacksMs?: number, code?: number, reason?: string): Promise<void>;
  /** Closes at once, by default with 1000: pending calls settle with a `SERVER_ERROR`. */
  close(code?: number, reason?: string): void;
  /** Terminates without a closing handshake: for a peer that may be gone. */
  terminate(): void;
  /** Resolves when the connection has closed. */
  closed(): Promise<void>;
}
