import { GG_METRICS } from "./GG_METRICS.js";
import { GGMetricKey, type GGMetricOptions } from "./GGMetricKey.js";
import type { GGMetricLabelArgs, GGMetricLabels, GGNoMetricLabels } from "./labels.js";

/** A level that goes up and down. Its methods throw without a store: ask `GG_METRICS.has()` first. */
export class GGGaugeKey<L extends GGMetricLabels = GGNoMetricLabels> extends GGMetricKey {
  readonly type = "gauge";

  constructor(name: string, options: GGMetricOptions<NoInfer<L>>) {
    super(name, options);
  }

  /** Raises the level. */
  inc(value = 1, ...[labels]: GGMetricLabelArgs<L>): void {
    GG_METRICS.get().get(this).inc(value, labels);
  }

  /** Lowers the level. */
  dec(value = 1, ...[labels]: GGMetricLabelArgs<L>): void {
    GG_METRICS.get().get(this).inc(-value, labels);
  }

  /** Sets the level. */
  set(value: number, ...[labels]: GGMetricLabelArgs<L>): void {
    GG_METRICS.get().get(this).set(value, labels);
  }

  /** The level now. */
  getValue(...[labels]: GGMetricLabelArgs<L>): number {
    return GG_METRICS.get().get(this).getValue(labels);
  }

  /** Drops all series of this metric. */
  reset(): void {
    GG_METRICS.get().get(this).reset();
  }
}
