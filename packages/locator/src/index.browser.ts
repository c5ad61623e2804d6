export { GGLocator } from "./GGLocator.js";
export { GGLocatorKey } from "./GGLocatorKey.js";
export { type GGLocatorLifecycle, GGLocatorScope } from "./GGLocatorScope.js";
export { GGLocatorServiceType } from "./GGLocatorServiceType.js";
