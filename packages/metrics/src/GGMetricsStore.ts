import type { GGHistogramDatum } from "./GGHistogramKey.js";
import { seriesKey } from "./labels.js";
import {
  type AnyMetricKey,
  type CounterKey,
  Distribution,
  type GaugeKey,
  GGCounter,
  GGGauge,
  GGHistogram,
  type GGMetric,
  type HistogramKey,
} from "./metrics.js";

/** One label combination with its value. */
export interface GGMetricSeries {
  /** `a=1,b=2`, in the order of the label names. */
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | GGHistogramDatum;
}

/** A metric's description and all of its series. */
export interface GGMetricSnapshot {
  readonly key: AnyMetricKey;
  readonly series: readonly GGMetricSeries[];
}

/** Stores the values of metric keys. Set one with `GG_METRICS.set(new GGMetricsStore())`. */
export class GGMetricsStore {
  readonly #metrics = new Map<unknown, GGMetric>();

  /** The numbers behind a key; they start empty. */
  get(key: CounterKey): GGCounter;
  get(key: GaugeKey): GGGauge;
  get(key: HistogramKey): GGHistogram;
  get(key: AnyMetricKey): GGMetric {
    let metric = this.#metrics.get(key);
    if (metric === undefined) {
      metric =
        key.type === "counter" ? new GGCounter(key) : key.type === "gauge" ? new GGGauge(key) : new GGHistogram(key);
      this.#metrics.set(key, metric);
    }
    return metric;
  }

  /** A copy of everything measured so far. */
  getAllMetrics(): GGMetricSnapshot[] {
    return Array.from(this.#metrics.values(), ({ key, series }) => ({
      key,
      series: series.list().map(({ labels, value }) => ({
        key: seriesKey(key.labelNames, labels),
        labels: Object.fromEntries(key.labelNames.map((name, i) => [name, labels[i] ?? ""])),
        value: value instanceof Distribution ? value.toDatum() : value.value,
      })),
    }));
  }

  /** Drops everything measured so far. */
  reset(): void {
    for (const metric of this.#metrics.values()) metric.reset();
  }
}
