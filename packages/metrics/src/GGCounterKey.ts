import { GG_METRICS } from "./GG_METRICS.js";
import { GGMetricKey, type GGMetricOptions } from "./GGMetricKey.js";
import type { GGMetricLabelArgs, GGMetricLabels, GGNoMetricLabels } from "./labels.js";

/** A count that only grows. Its methods throw without a store: ask `GG_METRICS.has()` first. */
export class GGCounterKey<L extends GGMetricLabels = GGNoMetricLabels> extends GGMetricKey {
  readonly type = "counter";

  constructor(name: string, options: GGMetricOptions<NoInfer<L>>) {
    super(name, options);
  }

  /** Adds `value`, which must not be negative. */
  inc(value = 1, ...[labels]: GGMetricLabelArgs<L>): void {
    GG_METRICS.get().get(this).inc(value, labels);
  }

  /** The count so far. */
  getValue(...[labels]: GGMetricLabelArgs<L>): number {
    return GG_METRICS.get().get(this).getValue(labels);
  }

  /** Drops all series of this metric. */
  reset(): void {
    GG_METRICS.get().get(this).reset();
  }
}
