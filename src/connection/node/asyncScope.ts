import { AsyncResource } from "node:async_hooks";
import type { AsyncScope } from "../endpoint.js";

/** Captures the async context of its caller with every `AsyncLocalStorage` in it, the framework's included. */
export function captureScope(): AsyncScope {
  // What `AsyncLocalStorage.snapshot()` does, at a fraction of its cost on Node 20; a client captures one to connect.
  const resource = new AsyncResource("GG_WS_SCOPE");
  return (fn, ...args) => resource.runInAsyncScope(fn, undefined, ...args);
}
