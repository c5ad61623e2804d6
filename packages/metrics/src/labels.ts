/** A label's value; anything but text is written with `String`. */
export type GGMetricLabelValue = string | number | boolean;

/**
 * The labels of one observation. `L` is a union of label names, or an object type with the labels as members.
 * A label that is left out counts as the empty text.
 */
export type GGMetricLabels<L> = [L] extends [string]
  ? { readonly [K in L]?: GGMetricLabelValue }
  : Readonly<Partial<L>>;

/** The label names that belong to `L`. */
export type GGMetricLabelName<L> = L extends string ? L : keyof L & string;

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
