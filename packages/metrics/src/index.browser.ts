export { GG_METRICS } from "./GG_METRICS.js";
export { GGCounterKey } from "./GGCounterKey.js";
export { GGGaugeKey } from "./GGGaugeKey.js";
export { type GGHistogramDatum, GGHistogramKey, type GGHistogramOptions } from "./GGHistogramKey.js";
export {
  type GGMetricDescription,
  type GGMetricGroupBy,
  GGMetricKey,
  type GGMetricLabelOptions,
  type GGMetricOptions,
  type GGMetricType,
} from "./GGMetricKey.js";
export { GGMetrics } from "./GGMetrics.js";
export type { GGMetricSeries, GGMetricSnapshot, GGMetricsStore } from "./GGMetricsStore.js";
export {
  GG_METRICS_OVERFLOW,
  type GGMetricLabelArgs,
  type GGMetricLabels,
  type GGNoMetricLabels,
} from "./labels.js";
export type { AnyMetricKey, GGCounter, GGGauge, GGHistogram, GGMetric } from "./metrics.js";
