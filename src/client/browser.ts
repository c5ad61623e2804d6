import { GGContextStore } from "@grest-ts/context";
import { serverError } from "../socket/outcome.js";
import { nativeTransport } from "../transport/native.js";
import type { ClientPlatform } from "./platform.js";

/** Clients on the platform's own `WebSocket`. */
export const browserPlatform: ClientPlatform = {
  dial: (url) => nativeTransport(new WebSocket(url)),
  captureScope() {
    // Nothing carries a context from event to event here, so the caller's is taken along.
    const caller = GGContextStore.tryGetContext();
    return (fn, ...args) => (caller ? caller.run(() => fn(...args)) : fn(...args));
  },
  pageOrigin: () => globalThis.location?.origin,
  onWake(callback, signal) {
    const { document } = globalThis;
    globalThis.addEventListener?.("online", callback, { signal });
    document?.addEventListener("visibilitychange", () => document.hidden || callback(), { signal });
  },
  async discover(apiName) {
    throw serverError(`${apiName}: no url, and no discovery in a browser. Pass {url: ""} for the page's own origin`);
  },
};
