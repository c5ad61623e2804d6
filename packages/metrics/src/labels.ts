/** The labels of a metric. A type alias of an object fits, an interface does not: it has no index signature. */
export type GGMetricLabels = Record<string, string | number | boolean>;

/** A metric without labels. */
export type GGNoMetricLabels = Record<never, never>;

/** The labels argument of a key's methods: none where the metric has no labels, else one object with all of them. */
export type GGMetricLabelArgs<L extends GGMetricLabels> = keyof L extends never ? [] : [labels: L];

/** Every label of the series that takes what comes after `maxLabelCombinations` is reached has this value. */
export const GG_METRICS_OVERFLOW = "__overflow__";

/** What keys hand to the store, whose code does not know the label names as types. */
export type AnyLabels = Readonly<Record<string, unknown>>;

export function labelText(value: unknown): string {
  return typeof value === "string" ? value : value === undefined || value === null ? "" : String(value);
}

/** `a=1,b=2`, in the order of the key's label names. */
export function seriesKey(names: readonly string[], values: readonly string[]): string {
  return names.map((name, i) => `${name}=${values[i] ?? ""}`).join(",");
}
