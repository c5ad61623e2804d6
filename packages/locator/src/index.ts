import "./dedup.js";
import { AsyncLocalStorage } from "node:async_hooks";
import type { GGLocatorScope } from "./GGLocatorScope.js";
import { initScopeStorage } from "./storage.js";

// A scope must outlive the first await; only Node can track that.
initScopeStorage(new AsyncLocalStorage<GGLocatorScope>());

export * from "./index.browser.js";
