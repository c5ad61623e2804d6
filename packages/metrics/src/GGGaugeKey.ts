import { GG_METRICS } from "./GG_METRICS.js";
import { GGMetricKey, type GGMetricOptions } from "./GGMetricKey.js";
import type { AnyLabels, GGMetricLabels } from "./labels.js";

/** A level that goes up and down. */
export class GGGaugeKey<const L = string> extends GGMetricKey<L> {
  readonly type = "gauge";

  constructor(name: string, options: GGMetricOptions<L>) {
    super(name, options);
  }

  /** Raises the level. */
  inc(value = 1, labels?: GGMetricLabels<L>): void {
    GG_METRICS.tryGet()
      ?.get(this)
      .inc(value, labels as AnyLabels | undefined);
  }

  /** Lowers the level. */
  dec(value = 1, labels?: GGMetricLabels<L>): void {
    GG_METRICS.tryGet()
      ?.get(this)
      .inc(-value, labels as AnyLabels | undefined);
  }

  /** Sets the level. */
  set(value: number, labels?: GGMetricLabels<L>): void {
    GG_METRICS.tryGet()
      ?.get(this)
      .set(value, labels as AnyLabels | undefined);
  }

  /** The level now; 0 without a store. */
  getValue(labels?: GGMetricLabels<L>): number {
    const metric = GG_METRICS.tryGet()?.get(this);
    return metric?.getValue(labels as AnyLabels | undefined) ?? 0;
  }

  /** Drops all series of this metric. */
  reset(): void {
    GG_METRICS.tryGet()?.get(this).reset();
  }
}
