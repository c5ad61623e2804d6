import type { GGMetricLabelName } from "./labels.js";

/** How an exporter that nests its output groups the series of a metric. */
export interface GGMetricGroupBy {
  readonly labels: readonly string[];
  /** Text with `{label}` placeholders; without it the label values are joined. */
  readonly template?: string;
}

/** What describes a metric. */
export interface GGMetricOptions<L> {
  /** One line on what is measured. */
  readonly help: string;
  // The bare `L` is what lets the label names be inferred from this list.
  readonly labelNames?: readonly (L | GGMetricLabelName<L>)[];
  readonly groupBy?: string | readonly string[] | GGMetricGroupBy;
  /** Most label combinations that get a series of their own; all others share one. Default 10,000. */
  readonly maxLabelCombinations?: number;
}

/** The kinds of metrics. */
export type GGMetricType = "counter" | "gauge" | "histogram";

const DEFAULT_MAX_LABEL_COMBINATIONS = 10_000;

let openPrefix: string | undefined;

/** Runs `build` with keys taking `prefix`. */
export function withPrefix<T>(prefix: string, build: () => T): T {
  const outer = openPrefix;
  openPrefix = prefix;
  try {
    return build();
  } finally {
    openPrefix = outer;
  }
}

/** What all metric keys have in common. */
export abstract class GGMetricKey<L> {
  abstract readonly type: GGMetricType;
  /** The full name, prefix included. */
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly groupBy: GGMetricOptions<L>["groupBy"];
  readonly maxLabelCombinations: number;

  protected constructor(name: string, options: GGMetricOptions<L>) {
    if (openPrefix === undefined) {
      throw new Error(`Metric key "${name}" must be created inside GGMetrics.define(prefix, () => ({ ... })).`);
    }
    this.name = openPrefix + name;
    this.help = options.help;
    this.labelNames = Object.freeze([...(options.labelNames ?? [])] as string[]);
    this.groupBy = options.groupBy;
    this.maxLabelCombinations = options.maxLabelCombinations ?? DEFAULT_MAX_LABEL_COMBINATIONS;
  }
}
