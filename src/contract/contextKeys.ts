import { GGContextKey } from "@grest-ts/context";
import { IsNumber, IsObject, IsString } from "@grest-ts/schema";

/** Where a connection lives: `port` of the server (absent on a client) and `path`, for example `"/ws/chat"`. */
export const GG_WS_CONNECTION = /* @__PURE__ */ new GGContextKey<{ port?: number; path: string }>(
  "ws-connection",
  /* @__PURE__ */ IsObject({ port: IsNumber.orUndefined, path: IsString }),
);

/** The message being handled: `path` is, for example, `"ChatApi.sendMessage"`. */
export const GG_WS_MESSAGE = /* @__PURE__ */ new GGContextKey<{ path: string }>(
  "ws-message",
  /* @__PURE__ */ IsObject({ path: IsString }),
);
