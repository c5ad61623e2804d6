export { GGLocator } from "./GGLocator.js";
export { GGLocatorKey } from "./GGLocatorKey.js";
export { GGLocatorScope } from "./GGLocatorScope.js";
