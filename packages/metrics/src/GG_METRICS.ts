import { GGLocatorKey } from "@grest-ts/locator";
import type { GGMetricsStore } from "./GGMetricsStore.js";

/**
 * The store that metric keys write to. Absent unless the program sets one, and then the methods of a key throw: check
 * `GG_METRICS.has()` before measuring.
 */
export const GG_METRICS: GGLocatorKey<GGMetricsStore> = new GGLocatorKey<GGMetricsStore>("GG_METRICS");
