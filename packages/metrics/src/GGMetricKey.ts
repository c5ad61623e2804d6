import type { GGMetricLabels } from "./labels.js";

/** How an exporter that nests its output groups the series of a metric. */
export interface GGMetricGroupBy<Name extends string = string> {
  /** The labels to group by. */
  readonly labels: Name[];
  /** Text with `{label}` placeholders; without it the label values are joined. */
  readonly template?: string;
}

/** The description of any metric. */
export interface GGMetricDescription {
  /** One line of text about what is measured. */
  readonly help: string;
  /** Most label combinations that get a series of their own; all others share one. Default 10,000. */
  readonly maxLabelCombinations?: number;
}

/** The description of a metric's labels. */
export interface GGMetricLabelOptions<Name extends string> {
  /** All labels, in the order in which exporters write them. */
  readonly labelNames: Name[];
  /** How exporters group the series. */
  readonly groupBy?: GGMetricGroupBy<Name>;
}

/** The description of a metric with the labels `L`. */
export type GGMetricOptions<L extends GGMetricLabels> = GGMetricDescription &
  (keyof L extends never ? unknown : GGMetricLabelOptions<keyof L & string>);

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
export abstract class GGMetricKey {
  abstract readonly type: GGMetricType;
  /** The full name, prefix included. */
  readonly name: string;
  /** One line of text about what is measured. */
  readonly help: string;
  /** All labels, in the order in which exporters write them. */
  readonly labelNames: readonly string[];
  /** How exporters group the series. */
  readonly groupBy: GGMetricGroupBy | undefined;
  /** Most label combinations that get a series of their own. */
  readonly maxLabelCombinations: number;

  protected constructor(name: string, options: GGMetricDescription & Partial<GGMetricLabelOptions<string>>) {
    if (openPrefix === undefined) {
      throw new Error(`Metric key "${name}" must be created inside GGMetrics.define(prefix, () => ({ ... })).`);
    }
    this.name = openPrefix + name;
    this.help = options.help;
    this.labelNames = Object.freeze([...(options.labelNames ?? [])]);
    this.groupBy = options.groupBy;
    this.maxLabelCombinations = options.maxLabelCombinations ?? DEFAULT_MAX_LABEL_COMBINATIONS;
  }
}
