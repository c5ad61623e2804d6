import { GG_METRICS } from "./GG_METRICS.js";
import type { GGHistogramDatum } from "./GGHistogramKey.js";
import type { GGMetricType } from "./GGMetricKey.js";
import type { GGMetricsStore } from "./GGMetricsStore.js";

/** Turns a store's numbers into another form. */
export abstract class GGMetricsExporter<T> {
  /** Exports `store`, by default the one under GG_METRICS. */
  abstract export(store?: GGMetricsStore): T;

  /** The given store or the current one; undefined when there is neither. */
  protected resolve(store: GGMetricsStore | undefined): GGMetricsStore | undefined {
    return store ?? GG_METRICS.tryGet();
  }
}

/** A metric as plain data. */
export interface GGJsonMetric {
  readonly type: GGMetricType;
  readonly help: string;
  /** For a histogram: the upper bounds that `values` of each datum belong to. */
  readonly buckets?: readonly number[];
  /** By series key, `a=1,b=2`. */
  readonly values: Readonly<Record<string, number | GGHistogramDatum>>;
}

/** Exports plain data, by full metric name. */
export class GGJsonMetricsExporter extends GGMetricsExporter<Record<string, GGJsonMetric>> {
  export(store?: GGMetricsStore): Record<string, GGJsonMetric> {
    const all = this.resolve(store)?.getAllMetrics() ?? [];
    return Object.fromEntries(
      all.map(({ key, series }) => [
        key.name,
        {
          type: key.type,
          help: key.help,
          ...(key.type === "histogram" && { buckets: key.buckets }),
          values: Object.fromEntries(series.map((one) => [one.key, one.value])),
        },
      ]),
    );
  }
}
