import { AsyncLocalStorage } from "node:async_hooks";
import type { AsyncScope } from "../socket/endpoint.js";

/** Captures the async context of its caller with every `AsyncLocalStorage` in it, the framework's included. */
export function captureScope(): AsyncScope {
  return AsyncLocalStorage.snapshot();
}
