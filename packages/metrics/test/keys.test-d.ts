import { expectTypeOf, it } from "vitest";
import { GGCounterKey, GGGaugeKey, type GGHistogramDatum, GGHistogramKey, GGMetrics } from "../src/index.js";

type Labels = { api: string; path: string };
const LABELLED = { help: "", labelNames: ["api", "path"] as (keyof Labels)[] };
const keys = GGMetrics.define("/t/", () => ({
  counter: new GGCounterKey<Labels>("a", LABELLED),
  gauge: new GGGaugeKey<Labels>("b", LABELLED),
  histogram: new GGHistogramKey<Labels>("c", { ...LABELLED, buckets: [1] }),
  plain: new GGCounterKey("d", { help: "", maxLabelCombinations: 5 }),
  plainGauge: new GGGaugeKey("e", { help: "" }),
  plainHistogram: new GGHistogramKey("f", { help: "", buckets: [1] }),
}));

it("takes exactly one labels object where there are labels", () => {
  expectTypeOf(keys.counter.inc).parameters.toEqualTypeOf<[value: number | undefined, labels: Labels]>();
  expectTypeOf(keys.counter.getValue).parameters.toEqualTypeOf<[labels: Labels]>();
  expectTypeOf(keys.gauge.inc).parameters.toEqualTypeOf<[value: number | undefined, labels: Labels]>();
  expectTypeOf(keys.gauge.dec).parameters.toEqualTypeOf<[value: number | undefined, labels: Labels]>();
  expectTypeOf(keys.gauge.set).parameters.toEqualTypeOf<[value: number, labels: Labels]>();
  expectTypeOf(keys.gauge.getValue).parameters.toEqualTypeOf<[labels: Labels]>();
  expectTypeOf(keys.histogram.observe).parameters.toEqualTypeOf<[value: number, labels: Labels]>();
  expectTypeOf(keys.histogram.startTimer).toEqualTypeOf<(labels: Labels) => () => void>();
  expectTypeOf(keys.histogram.getValue).toEqualTypeOf<(labels: Labels) => GGHistogramDatum | undefined>();
});

it("takes no labels where there are none", () => {
  expectTypeOf(keys.plain).toEqualTypeOf<GGCounterKey>();
  expectTypeOf(keys.plain.inc).parameters.toEqualTypeOf<[value?: number]>();
  expectTypeOf(keys.plain.getValue).parameters.toEqualTypeOf<[]>();
  expectTypeOf(keys.plainGauge.set).parameters.toEqualTypeOf<[value: number]>();
  expectTypeOf(keys.plainHistogram.observe).parameters.toEqualTypeOf<[value: number]>();
  expectTypeOf(keys.plainHistogram.startTimer).toEqualTypeOf<() => () => void>();
  // @ts-expect-error this metric has no labels
  keys.plain.inc(1, { api: "A" });
});

it("refuses labels that are missing, unknown or of a wrong type", () => {
  // @ts-expect-error no labels
  keys.counter.inc(1);
  // @ts-expect-error no labels
  keys.counter.inc();
  // @ts-expect-error no path
  keys.counter.inc(1, { api: "A" });
  // @ts-expect-error not a label of this metric
  keys.counter.inc(1, { api: "A", path: "/", method: "m" });
  // @ts-expect-error not a text
  keys.counter.inc(1, { api: 1, path: "/" });
});

it("is generic over an object of texts, numbers and booleans", () => {
  expectTypeOf<GGCounterKey<{ n: number; b: boolean; s: string }>>().toBeObject();
  // @ts-expect-error names alone
  expectTypeOf<GGCounterKey<"api" | "path">>().toBeObject();
  // @ts-expect-error names alone
  expectTypeOf<GGGaugeKey<"api">>().toBeObject();
  // @ts-expect-error names alone
  expectTypeOf<GGHistogramKey<"api">>().toBeObject();
  // @ts-expect-error an object as a label
  expectTypeOf<GGCounterKey<{ api: { name: string } }>>().toBeObject();
  interface Interface {
    api: string;
  }
  // @ts-expect-error an interface has no index signature
  expectTypeOf<GGCounterKey<Interface>>().toBeObject();
});

it("needs the names of its labels, as a list that is no constant", () => {
  // @ts-expect-error no names
  new GGCounterKey<Labels>("x", { help: "" });
  // @ts-expect-error a name that is no label
  new GGCounterKey<Labels>("x", { help: "", labelNames: ["api", "method"] });
  const NAMES = ["api", "path"] as const;
  // @ts-expect-error readonly
  new GGCounterKey<Labels>("x", { help: "", labelNames: NAMES });
  // @ts-expect-error names without a type of labels
  new GGCounterKey("x", { help: "", labelNames: ["api"] });
  // @ts-expect-error grouped by something that is no label
  new GGCounterKey<Labels>("x", { ...LABELLED, groupBy: { labels: ["method"] } });
  // @ts-expect-error grouped by a bare name
  new GGCounterKey<Labels>("x", { ...LABELLED, groupBy: "api" });
  // @ts-expect-error grouped without labels
  new GGCounterKey("x", { help: "", groupBy: { labels: [] } });
  // @ts-expect-error no buckets
  new GGHistogramKey<Labels>("x", LABELLED);
  new GGCounterKey<Labels>("x", { ...LABELLED, groupBy: { labels: ["api"], template: "{api}" } });
});
