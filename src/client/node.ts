import { GG_DISCOVERY } from "@grest-ts/discovery";
import { serverError } from "../socket/outcome.js";
import { captureScope } from "../transport/asyncScope.js";
import { WsTransport } from "../transport/ws.js";
import type { ClientPlatform } from "./platform.js";

/** Clients in Node: `ws` below, discovery for what has no URL. */
export const nodePlatform: ClientPlatform = {
  dial: (url) => WsTransport.dial(url),
  captureScope,
  pageOrigin: () => undefined,
  onWake: () => {},
  async discover(apiName) {
    const discovery = GG_DISCOVERY.tryGet();
    if (!discovery) {
      throw serverError(`${apiName}: no url was given and no discovery client is set. Pass {url} or set GG_DISCOVERY`);
    }
    try {
      return await discovery.discoverApi(apiName);
    } catch (error) {
      throw serverError(`Service discovery failed for WebSocket API ${apiName}`, error as Error);
    }
  },
};
