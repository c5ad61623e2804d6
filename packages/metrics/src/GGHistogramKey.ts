import { GG_METRICS } from "./GG_METRICS.js";
import { GGMetricKey, type GGMetricOptions } from "./GGMetricKey.js";
import type { AnyLabels, GGMetricLabels } from "./labels.js";

/** What describes a histogram. */
export interface GGHistogramOptions<L> extends GGMetricOptions<L> {
  /** Upper bounds, rising. A value counts in every bucket whose bound is not below it. */
  readonly buckets: readonly number[];
}

/** What a histogram knows about one label combination. */
export interface GGHistogramDatum {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** Per bucket: how many values were at or below its bound. */
  readonly values: readonly number[];
}

/** A distribution of values over buckets. */
export class GGHistogramKey<const L = string> extends GGMetricKey<L> {
  readonly type = "histogram";
  readonly buckets: readonly number[];

  constructor(name: string, options: GGHistogramOptions<L>) {
    super(name, options);
    const rising = options.buckets.every((bound, i, all) => i === 0 || bound > (all[i - 1] as number));
    if (!rising) throw new Error(`Histogram "${this.name}": buckets must rise.`);
    this.buckets = Object.freeze([...options.buckets]);
  }

  /** Counts one value. */
  observe(value: number, labels?: GGMetricLabels<L>): void {
    GG_METRICS.tryGet()
      ?.get(this)
      .observe(value, labels as AnyLabels | undefined);
  }

  /** Starts a clock. The returned function observes the milliseconds since, and returns them. */
  startTimer(labels?: GGMetricLabels<L>): (more?: GGMetricLabels<L>) => number {
    const start = performance.now();
    return (more) => {
      const elapsed = performance.now() - start;
      this.observe(elapsed, more === undefined ? labels : ({ ...labels, ...more } as GGMetricLabels<L>));
      return elapsed;
    };
  }

  /** What was observed for the label combination; undefined when nothing was, or without a store. */
  getValue(labels?: GGMetricLabels<L>): GGHistogramDatum | undefined {
    return GG_METRICS.tryGet()
      ?.get(this)
      .getValue(labels as AnyLabels | undefined);
  }

  /** Drops all series of this metric. */
  reset(): void {
    GG_METRICS.tryGet()?.get(this).reset();
  }
}
