/** The labels of a metric: a type alias of an object, not an interface, which has no index signature. */
export type GGMetricLabels = Record<string, string | number | boolean>;

/** A metric without labels. */
export type GGNoMetricLabels = Record<never, never>;

/** The labels argument of a key's methods: none where the metric has no labels, else one object with all of them. */
export type GGMetricLabelArgs<L extends GGMetricLabels> = keyof L extends never ? [] : [labels: L];

/** The label value of the series that collects all combinations beyond `maxLabelCombinations`. */
export const GG_METRICS_OVERFLOW = "__overflow__";

/** Labels as the store takes them, without the types of their names. */
export type AnyLabels = Readonly<Record<string, unknown>>;

export function labelText(value: unknown): string {
  return typeof value === "string" ? value : value === undefined || value === null ? "" : String(value);
}

/** `a=1,b=2`, in the order of the key's label names. */
export function seriesKey(names: readonly string[], values: readonly string[]): string {
  return names.map((name, i) => `${name}=${values[i] ?? ""}`).join(",");
}
