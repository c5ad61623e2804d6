/**
 * Hooks for React 18 and later: `createHooks(ChatApi)` makes a provider and typed hooks. A peer dependency on `react`, for
 * programs that import this entry only.
 *
 * @module
 */

export { createHooks } from "./react/createHooks.js";
export type {
  CallState,
  ConnectionInfo,
  HookedApi,
  SocketHooks,
  SocketProviderProps,
  UseCallOptions,
  UsePushState,
} from "./react/types.js";
