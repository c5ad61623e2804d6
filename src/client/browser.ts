import { serverError } from "../socket/outcome.js";
import { NativeTransport } from "../transport/native.js";
import type { ClientPlatform } from "./platform.js";

/** Clients on the platform's own `WebSocket`. */
export const browserPlatform: ClientPlatform = {
  dial: (url) => new NativeTransport(new WebSocket(url)),
  // There is no async context in a browser: a callback runs as it is.
  captureScope:
    () =>
    (fn, ...args) =>
      fn(...args),
  pageOrigin: () => globalThis.location?.origin,
  onWake(callback) {
    const onVisibility = () => {
      if (document.visibilityState === "visible") callback();
    };
    globalThis.addEventListener?.("online", callback);
    globalThis.document?.addEventListener("visibilitychange", onVisibility);
    return () => {
      globalThis.removeEventListener?.("online", callback);
      globalThis.document?.removeEventListener("visibilitychange", onVisibility);
    };
  },
  async discover(apiName) {
    throw serverError(
      `${apiName}: no url was given, and there is no discovery in a browser. Pass {url: ""} for the page's own origin`,
    );
  },
};
