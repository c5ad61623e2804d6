import "./dedup.js";
import { AsyncLocalStorage } from "node:async_hooks";
import type { GGContext } from "./GGContext.js";
import { initContextStorage } from "./storage.js";

// A context must outlive the first await; only Node can track that.
initContextStorage(new AsyncLocalStorage<GGContext>());

export * from "./index.browser.js";
