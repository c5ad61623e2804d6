import { GGContextKey } from "@grest-ts/context";
import { type GGSchema, IsUnknown } from "@grest-ts/schema";

// Only this package sets these keys, and nothing sends them anywhere: their values need no validation.

/** The address of a connection, as `GG_WS_CONNECTION` shows it. */
export interface WsConnectionContext {
  /** The server's port; absent on a client. */
  port?: number;
  /** The path that the API is served on, for example `"/ws/chat"`. */
  path: string;
  /** Identifies the connection in the server's log entries (`fields.connection`); absent on a client. */
  readonly id?: string;
  /** The peer's address: what `addressOf` returned, else that of the TCP peer; absent on a client. */
  readonly address?: string | undefined;
  /**
   * Aborted when the connection has ended, also while its handshake is in progress: for middlewares and permission
   * resolvers that wait for something. Absent on a client.
   */
  readonly signal?: AbortSignal;
}

/** The address of the current connection. */
export const GG_WS_CONNECTION = /* @__PURE__ */ new GGContextKey<WsConnectionContext>(
  "ws-connection",
  IsUnknown as unknown as GGSchema<WsConnectionContext>,
);

/** The message being handled, as `GG_WS_MESSAGE` shows it to its handler. */
export interface GGWebSocketMessage {
  /** For example `"ChatApi.sendMessage"`. */
  readonly path: string;
  /**
   * Aborted when the result is no longer needed while the handler runs: the caller has aborted the call, it has timed
   * out (both where both ends support it: PROTOCOL.md, "cancel"), or the connection has ended.
   */
  readonly signal: AbortSignal;
}

/** The message being handled: its path and its abort signal. */
export const GG_WS_MESSAGE = /* @__PURE__ */ new GGContextKey<GGWebSocketMessage>(
  "ws-message",
  IsUnknown as unknown as GGSchema<GGWebSocketMessage>,
);
