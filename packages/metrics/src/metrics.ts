import type { GGHistogramDatum } from "./GGHistogramKey.js";
import type { GGMetricKey } from "./GGMetricKey.js";
import type { AnyLabels } from "./labels.js";
import { SeriesTable } from "./SeriesTable.js";

// Keys without the types of their labels.

/** A counter's key with any labels. */
export type CounterKey = GGMetricKey & { readonly type: "counter" };
/** A gauge's key with any labels. */
export type GaugeKey = GGMetricKey & { readonly type: "gauge" };
/** A histogram's key with any labels. */
export type HistogramKey = GGMetricKey & { readonly type: "histogram"; readonly buckets: readonly number[] };

/** A key of any kind with any labels. */
export type AnyMetricKey = CounterKey | GaugeKey | HistogramKey;

/** A number that is updated in place. */
interface Cell {
  value: number;
}

const newCell = (): Cell => ({ value: 0 });

/** The numbers of a counter. */
export class GGCounter {
  readonly series: SeriesTable<Cell>;

  constructor(readonly key: CounterKey) {
    this.series = new SeriesTable(key, newCell);
  }

  inc(value: number, labels: AnyLabels | undefined): void {
    if (!(value >= 0)) throw new Error(`Counter "${this.key.name}" cannot be raised by ${value}.`);
    this.series.obtain(labels).value += value;
  }

  getValue(labels: AnyLabels | undefined): number {
    return this.series.peek(labels)?.value ?? 0;
  }

  reset(): void {
    this.series.clear();
  }
}

/** The numbers of a gauge. */
export class GGGauge {
  readonly series: SeriesTable<Cell>;

  constructor(readonly key: GaugeKey) {
    this.series = new SeriesTable(key, newCell);
  }

  inc(value: number, labels: AnyLabels | undefined): void {
    this.series.obtain(labels).value += value;
  }

  set(value: number, labels: AnyLabels | undefined): void {
    this.series.obtain(labels).value = value;
  }

  getValue(labels: AnyLabels | undefined): number {
    return this.series.peek(labels)?.value ?? 0;
  }

  reset(): void {
    this.series.clear();
  }
}

/** One distribution. Buckets are counted separately and summed when read, so an observation updates only one. */
export class Distribution {
  count = 0;
  sum = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  readonly #bounds: readonly number[];
  readonly #counts: number[];

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  add(value: number): void {
    this.count++;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const bounds = this.#bounds;
    for (let i = 0; i < bounds.length; i++) {
      if (value <= (bounds[i] as number)) {
        (this.#counts[i] as number)++;
        return;
      }
    }
  }

  toDatum(): GGHistogramDatum {
    let total = 0;
    const values = this.#counts.map((count) => {
      total += count;
      return total;
    });
    return { count: this.count, sum: this.sum, min: this.min, max: this.max, values };
  }
}

/** The distributions of a histogram. */
export class GGHistogram {
  readonly series: SeriesTable<Distribution>;

  constructor(readonly key: HistogramKey) {
    this.series = new SeriesTable(key, () => new Distribution(key.buckets));
  }

  observe(value: number, labels: AnyLabels | undefined): void {
    // One NaN would make the sum NaN forever.
    if (Number.isNaN(value)) throw new Error(`Histogram "${this.key.name}" cannot observe NaN.`);
    this.series.obtain(labels).add(value);
  }

  getValue(labels: AnyLabels | undefined): GGHistogramDatum | undefined {
    return this.series.peek(labels)?.toDatum();
  }

  reset(): void {
    this.series.clear();
  }
}

/** The numbers behind a key of any kind. */
export type GGMetric = GGCounter | GGGauge | GGHistogram;
