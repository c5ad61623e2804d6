import { setMaxListeners } from "node:events";

/** Lets one signal cancel many calls: Node takes more than ten listeners for a leak, and warns of it. */
export function shareSignal(signal: AbortSignal): void {
  setMaxListeners(0, signal);
}
