import { GGContextStore } from "@grest-ts/context";
import type { GGWebSocketLogger } from "../../api/logger.js";
import type { SchemaEnds } from "../../api/schema.js";
import { setDeadline } from "../../connection/deadlines.js";
import { serverError } from "../../connection/methods/outcome.js";
import { CLIENT_CAPABILITIES } from "../../protocol/capabilities.js";
import { nativeTransport } from "../../transport/native.js";
import { socketClient } from "../socketClient.js";
import type { ClientPlatform } from "./platform.js";

/** A server must not flood the log: how many warnings are logged in an interval, and its length in ms. */
const MAX_WARNINGS = 20;
const WARNING_INTERVAL = 10_000;

/** Clients on the platform's own `WebSocket`. */
export const browserPlatform: ClientPlatform = {
  offered: CLIENT_CAPABILITIES,
  dial: (url, { webSocket: Native = WebSocket } = {}) => nativeTransport(new Native(url)),
  captureScope() {
    // Browsers carry no context from event to event, so the caller's is captured.
    const caller = GGContextStore.tryGetContext();
    return (fn, ...args) => (caller ? caller.run(() => fn(...args)) : fn(...args));
  },
  logger(given = console) {
    let left = MAX_WARNINGS;
    // A logger that fails, at once or later, stops nothing.
    const at =
      (level: "debug" | "warn" | "error") =>
      async (...entry: Parameters<GGWebSocketLogger["warn"]>) => {
        try {
          await given[level](...entry);
        } catch {
          console[level](...entry);
        }
      };
    const warn = at("warn");
    return {
      debug: at("debug"),
      warn(...entry) {
        if (left === 0) return;
        left--;
        setDeadline(WARNING_INTERVAL, () => left++);
        warn(...entry);
      },
      error: at("error"),
    };
  },
  onWake(callback) {
    const { document } = globalThis;
    const over = new AbortController();
    globalThis.addEventListener?.("online", callback, over);
    document?.addEventListener("visibilitychange", () => document.hidden || callback(), over);
    return () => over.abort();
  },
  locate(apiName, url) {
    if (url === "" && globalThis.location) return location.origin;
    throw serverError(`${apiName}: no url: pass one, or "" for a page's own origin`, "invalid-input");
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
