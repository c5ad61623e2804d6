import { GGLocatorKey } from "@grest-ts/locator";
import type { GGMetricsStore } from "./GGMetricsStore.js";

/** The store that metric keys write to. Absent unless the program sets one; then nothing is measured. */
export const GG_METRICS: GGLocatorKey<GGMetricsStore> = new GGLocatorKey<GGMetricsStore>("GG_METRICS");
