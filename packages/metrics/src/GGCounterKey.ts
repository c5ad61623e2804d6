import { GG_METRICS } from "./GG_METRICS.js";
import { GGMetricKey, type GGMetricOptions } from "./GGMetricKey.js";
import type { AnyLabels, GGMetricLabels } from "./labels.js";

/** A count that only grows. */
export class GGCounterKey<const L = string> extends GGMetricKey<L> {
  readonly type = "counter";

  constructor(name: string, options: GGMetricOptions<L>) {
    super(name, options);
  }

  /** Adds `value`, which must not be negative. */
  inc(value = 1, labels?: GGMetricLabels<L>): void {
    GG_METRICS.tryGet()
      ?.get(this)
      .inc(value, labels as AnyLabels | undefined);
  }

  /** The count so far; 0 without a store. */
  getValue(labels?: GGMetricLabels<L>): number {
    const metric = GG_METRICS.tryGet()?.get(this);
    return metric?.getValue(labels as AnyLabels | undefined) ?? 0;
  }

  /** Drops all series of this metric. */
  reset(): void {
    GG_METRICS.tryGet()?.get(this).reset();
  }
}
