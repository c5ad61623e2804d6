import { GG_DISCOVERY } from "@grest-ts/discovery";
import { isDeeper, MAX_DEPTH } from "../protocol/depth.js";
import { serverError } from "../socket/outcome.js";
import { captureScope } from "../transport/asyncScope.js";
import { nativeTransport } from "../transport/native.js";
import { WsTransport } from "../transport/ws.js";
import type { ClientPlatform } from "./platform.js";

/** Clients in Node: `ws` below, discovery for what has no URL. */
export const nodePlatform: ClientPlatform = {
  dial: (url, Native) => (Native ? nativeTransport(new Native(url)) : WsTransport.dial(url)),
  captureScope,
  onWake: () => () => {},
  isTooDeep: (payload) => isDeeper(payload, MAX_DEPTH),
  async locate(apiName, url) {
    if (url === "") throw serverError(`${apiName}: url "" means the page's own origin, and there is no page here`);
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
