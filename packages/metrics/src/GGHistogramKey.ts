import { GG_METRICS } from "./GG_METRICS.js";
import { GGMetricKey, type GGMetricOptions } from "./GGMetricKey.js";
import type { GGMetricLabelArgs, GGMetricLabels, GGNoMetricLabels } from "./labels.js";

/** The description of a histogram with the labels `L`. */
export type GGHistogramOptions<L extends GGMetricLabels> = GGMetricOptions<L> & {
  /** Upper bounds, rising. A value counts in every bucket whose bound is not below it. */
  readonly buckets: number[];
};

/** The data of one label combination. */
export interface GGHistogramDatum {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** Per bucket: how many values were at or below its bound. */
  readonly values: readonly number[];
}

/** A distribution of values over buckets. Its methods throw without a store: ask `GG_METRICS.has()` first. */
export class GGHistogramKey<L extends GGMetricLabels = GGNoMetricLabels> extends GGMetricKey {
  readonly type = "histogram";
  /** Upper bounds, rising. */
  readonly buckets: readonly number[];

  constructor(name: string, options: GGHistogramOptions<NoInfer<L>>) {
    super(name, options);
    const rising = options.buckets.every((bound, i, all) => i === 0 || bound > (all[i - 1] as number));
    if (!rising) throw new Error(`Histogram "${this.name}": buckets must rise.`);
    this.buckets = Object.freeze([...options.buckets]);
  }

  /** Counts one value. */
  observe(value: number, ...[labels]: GGMetricLabelArgs<L>): void {
    GG_METRICS.get().get(this).observe(value, labels);
  }

  /** Starts a timer. The returned function observes the elapsed milliseconds. */
  startTimer(...labels: GGMetricLabelArgs<L>): () => void {
    const start = performance.now();
    return () => this.observe(performance.now() - start, ...labels);
  }

  /** What was observed for the label combination; undefined when nothing was. */
  getValue(...[labels]: GGMetricLabelArgs<L>): GGHistogramDatum | undefined {
    return GG_METRICS.get().get(this).getValue(labels);
  }

  /** Drops all series of this metric. */
  reset(): void {
    GG_METRICS.get().get(this).reset();
  }
}
