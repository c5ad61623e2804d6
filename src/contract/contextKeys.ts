import { GGContextKey } from "@grest-ts/context";
import { type GGValidator, IsNumber, IsObject, IsString } from "@grest-ts/schema";

/** Where a connection lives: `port` of the server (absent on a client) and `path`, for example `"/ws/chat"`. */
export const GG_WS_CONNECTION = /* @__PURE__ */ new GGContextKey<{ port?: number; path: string }>(
  "ws-connection",
  /* @__PURE__ */ IsObject({ port: IsNumber.orUndefined, path: IsString }),
);

/** The message being handled, as `GG_WS_MESSAGE` shows it to its handler. */
export interface GGWebSocketMessage {
  /** For example `"ChatApi.sendMessage"`. */
  readonly path: string;
  /**
   * Aborted when the result is not wanted any more, while the handler is at work: the caller has aborted the call, it has
   * timed out (where both ends can tell each other so: PROTOCOL.md, "cancel"), or the connection has ended.
   */
  readonly signal: AbortSignal;
}

/** The message being handled: its path and its abort signal. */
export const GG_WS_MESSAGE = /* @__PURE__ */ new GGContextKey<GGWebSocketMessage>(
  "ws-message",
  /* @__PURE__ */ IsObject({ path: IsString }) as unknown as GGValidator<GGWebSocketMessage>,
);
