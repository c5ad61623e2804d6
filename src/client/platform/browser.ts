import { GGContextStore } from "@grest-ts/context";
import type { SchemaEnds } from "../../api/schema.js";
import { serverError } from "../../connection/methods/outcome.js";
import { nativeTransport } from "../../transport/native.js";
import { socketClient } from "../socketClient.js";
import type { ClientPlatform } from "./platform.js";

/** Clients on the platform's own `WebSocket`. */
export const browserPlatform: ClientPlatform = {
  dial: (url, { webSocket: Native = WebSocket } = {}) => nativeTransport(new Native(url)),
  captureScope() {
    // Browsers carry no context from event to event, so the caller's is captured.
    const caller = GGContextStore.tryGetContext();
    return (fn, ...args) => (caller ? caller.run(() => fn(...args)) : fn(...args));
  },
  logger: (given = console) => given,
  onWake(callback) {
    const { document } = globalThis;
    const over = new AbortController();
    globalThis.addEventListener?.("online", callback, over);
    document?.addEventListener("visibilitychange", () => document.hidden || callback(), over);
    return () => over.abort();
  },
  locate(apiName, url) {
    if (url === "") return globalThis.location?.origin;
    throw serverError(`${apiName}: no url: pass {url: ""} for the page's origin`, "invalid-input");
  },
};

/** What a schema can become in a browser: a client, and no server. */
export const browserEnds: SchemaEnds = {
  createClient(schema, config) {
    if (!schema.path) throw new Error(`${schema.name}: no path`);
    return socketClient(schema, config, browserPlatform);
  },
  startServer({ name }) {
    throw new Error(`${name}: a browser cannot serve`);
  },
};
