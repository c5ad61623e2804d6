export { GGContext } from "./GGContext.js";
export { type GGContextCodec, GGContextKey, type GGContextKeyOptions } from "./GGContextKey.js";
export { GGContextStore } from "./GGContextStore.js";
