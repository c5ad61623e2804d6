import { GGLocatorScope } from "@grest-ts/locator";
import { beforeEach, describe, expect, it } from "vitest";
import {
  GG_METRICS,
  GG_METRICS_OVERFLOW,
  GGCounterKey,
  GGGaugeKey,
  GGHistogramKey,
  GGJsonMetricsExporter,
  GGMetrics,
  GGMetricsStore,
} from "../src/index.js";

const Shop = GGMetrics.define("/shop/", () => ({
  sales: new GGCounterKey<{ item: string; result: string }>("sales_total", {
    help: "Sales",
    labelNames: ["item", "result"],
  }),
  visitors: new GGGaugeKey<{ door: string }>("visitors", { help: "Visitors inside", labelNames: ["door"] }),
  wait: new GGHistogramKey<{ till: number }>("wait_ms", {
    help: "Time in the queue",
    labelNames: ["till"],
    buckets: [10, 20, 50],
  }),
  openings: new GGCounterKey("openings_total", { help: "Openings" }),
}));

beforeEach(() => GG_METRICS.set(new GGMetricsStore()));

const withoutStore = <R>(fn: () => R): R => new GGLocatorScope("without a store").run(fn);

describe("keys", () => {
  it("take the prefix of their group", () => {
    expect(Shop.sales.name).toBe("/shop/sales_total");
    expect(Shop.sales.labelNames).toEqual(["item", "result"]);
  });

  it("cannot be made outside a group, before or after one, even when its build failed", () => {
    const make = () => new GGCounterKey("lost_total", { help: "Lost" });
    expect(make).toThrow(/"lost_total".*GGMetrics\.define/);
    expect(() =>
      GGMetrics.define("/x/", () => {
        throw new Error("boom");
      }),
    ).toThrow("boom");
    expect(make).toThrow(/"lost_total"/);
  });

  it.each<[string, () => unknown]>([
    ["a counter's inc", () => Shop.sales.inc(1, { item: "tea", result: "OK" })],
    ["a counter's inc without labels", () => Shop.openings.inc()],
    ["a counter's getValue", () => Shop.openings.getValue()],
    ["a counter's reset", () => Shop.openings.reset()],
    ["a gauge's inc", () => Shop.visitors.inc(1, { door: "north" })],
    ["a gauge's dec", () => Shop.visitors.dec(1, { door: "north" })],
    ["a gauge's set", () => Shop.visitors.set(1, { door: "north" })],
    ["a gauge's getValue", () => Shop.visitors.getValue({ door: "north" })],
    ["a gauge's reset", () => Shop.visitors.reset()],
    ["a histogram's observe", () => Shop.wait.observe(1, { till: 1 })],
    ["a histogram's timer", () => Shop.wait.startTimer({ till: 1 })()],
    ["a histogram's getValue", () => Shop.wait.getValue({ till: 1 })],
    ["a histogram's reset", () => Shop.wait.reset()],
  ])("throw without a store: %s", (_name, use) => {
    withoutStore(() => {
      expect(GG_METRICS.has()).toBe(false);
      expect(use).toThrow(/"GG_METRICS" is not registered/);
    });
  });

  it("write to the store that is set at the time", () => {
    Shop.openings.inc();
    const first = GG_METRICS.get();
    GG_METRICS.set(new GGMetricsStore());
    Shop.openings.inc(2);
    expect(Shop.openings.getValue()).toBe(2);
    expect(first.get(Shop.openings).getValue(undefined)).toBe(1);
  });
});

describe("counters and gauges", () => {
  it("count each label combination separately, a missing label as empty", () => {
    Shop.sales.inc(1, { item: "tea", result: "OK" });
    Shop.sales.inc(4, { result: "OK", item: "tea" });
    Shop.sales.inc(undefined, { item: "tea" } as never);
    expect(Shop.sales.getValue({ item: "tea", result: "OK" })).toBe(5);
    expect(Shop.sales.getValue({ item: "tea", result: "" })).toBe(1);
    expect(Shop.sales.getValue({ item: "milk", result: "OK" })).toBe(0);
  });

  it("find the series of a frozen labels object again, in every store", () => {
    const labels = Object.freeze({ item: "tea", result: "OK" });
    Shop.sales.inc(1, labels);
    Shop.sales.inc(2, labels);
    expect(Shop.sales.getValue({ ...labels })).toBe(3);
    Shop.sales.reset();
    Shop.sales.inc(4, labels);
    expect(Shop.sales.getValue(labels)).toBe(4);
    GG_METRICS.set(new GGMetricsStore());
    Shop.sales.inc(5, labels);
    expect(Shop.sales.getValue(labels)).toBe(5);
  });

  it("distinguish values that would be equal when joined", () => {
    Shop.sales.inc(1, { item: "a,result=b", result: "" });
    Shop.sales.inc(1, { item: "a", result: "b,result=" });
    expect(Shop.sales.getValue({ item: "a,result=b", result: "" })).toBe(1);
    expect(GG_METRICS.get().getAllMetrics()[0]?.series).toHaveLength(2);
  });

  it("treat names from Object.prototype as any other label value", () => {
    Shop.visitors.inc(1, { door: "__proto__" });
    Shop.visitors.inc(1, { door: "constructor" });
    expect(Shop.visitors.getValue({ door: "__proto__" })).toBe(1);
  });

  it("move a gauge both ways", () => {
    Shop.visitors.inc(5, { door: "north" });
    Shop.visitors.dec(2, { door: "north" });
    expect(Shop.visitors.getValue({ door: "north" })).toBe(3);
    Shop.visitors.set(9, { door: "north" });
    expect(Shop.visitors.getValue({ door: "north" })).toBe(9);
  });

  it("refuse to lower a counter", () => {
    Shop.openings.inc(2);
    expect(() => Shop.openings.inc(-1)).toThrow(/openings_total/);
    expect(() => Shop.openings.inc(Number.NaN)).toThrow(/openings_total/);
    expect(Shop.openings.getValue()).toBe(2);
  });

  it("reset one metric or all of them", () => {
    Shop.openings.inc();
    Shop.visitors.inc(1, { door: "north" });
    Shop.openings.reset();
    expect(Shop.openings.getValue()).toBe(0);
    expect(Shop.visitors.getValue({ door: "north" })).toBe(1);
    GG_METRICS.get().reset();
    expect(Shop.visitors.getValue({ door: "north" })).toBe(0);
  });
});

describe("histograms", () => {
  it("count into every bucket at or above the value", () => {
    for (const value of [10, 11, 50, 51]) Shop.wait.observe(value, { till: 1 });
    expect(Shop.wait.getValue({ till: 1 })).toEqual({ count: 4, sum: 122, min: 10, max: 51, values: [1, 2, 3] });
    expect(Shop.wait.getValue({ till: 2 })).toBeUndefined();
  });

  it("time in milliseconds", async () => {
    const stop = Shop.wait.startTimer({ till: 3 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    stop();
    expect(Shop.wait.getValue({ till: 3 })?.sum).toBeGreaterThan(3);
    expect(Shop.wait.getValue({ till: 3 })?.count).toBe(1);
  });

  it("refuse NaN, and buckets that do not rise", () => {
    expect(() => Shop.wait.observe(Number.NaN, { till: 1 })).toThrow(/wait_ms/);
    expect(() =>
      GGMetrics.define("/x/", () => ({ h: new GGHistogramKey("h", { help: "", buckets: [5, 5] }) })),
    ).toThrow(/"\/x\/h".*rise/);
  });
});

describe("the limit on label combinations", () => {
  const Few = GGMetrics.define("/few/", () => ({
    hits: new GGCounterKey<{ page: string; who: string }>("hits_total", {
      help: "Hits",
      labelNames: ["page", "who"],
      maxLabelCombinations: 2,
    }),
  }));

  it("counts everything beyond it in one series, and known combinations still in their own", () => {
    for (let i = 0; i < 100; i++) Few.hits.inc(1, { page: `p${i}`, who: "x" });
    Few.hits.inc(1, { page: "p0", who: "x" });
    expect(Few.hits.getValue({ page: "p0", who: "x" })).toBe(2);
    expect(Few.hits.getValue({ page: "p50", who: "x" })).toBe(0);
    expect(Few.hits.getValue({ page: GG_METRICS_OVERFLOW, who: GG_METRICS_OVERFLOW })).toBe(98);
    expect(
      GG_METRICS.get()
        .getAllMetrics()[0]
        ?.series.map((series) => series.key),
    ).toEqual(["page=p0,who=x", "page=p1,who=x", `page=${GG_METRICS_OVERFLOW},who=${GG_METRICS_OVERFLOW}`]);
  });
});

it("exports plain JSON", () => {
  Shop.sales.inc(2, { item: "tea", result: "OK" });
  Shop.wait.observe(15, { till: 1 });
  expect(JSON.parse(JSON.stringify(new GGJsonMetricsExporter().export()))).toEqual({
    "/shop/sales_total": { type: "counter", help: "Sales", values: { "item=tea,result=OK": 2 } },
    "/shop/wait_ms": {
      type: "histogram",
      help: "Time in the queue",
      buckets: [10, 20, 50],
      values: { "till=1": { count: 1, sum: 15, min: 15, max: 15, values: [0, 1, 1] } },
    },
  });
  withoutStore(() => expect(new GGJsonMetricsExporter().export()).toEqual({}));
});
