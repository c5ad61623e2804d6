import "./dedup.js";

export { type GGJsonMetric, GGJsonMetricsExporter, GGMetricsExporter } from "./exporters.js";
export { GGMetricsStore } from "./GGMetricsStore.js";
export { GGPrometheusMetricsExporter } from "./GGPrometheusMetricsExporter.js";
export * from "./index.browser.js";
