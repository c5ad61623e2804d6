import { expectTypeOf, it } from "vitest";
import { GGCounterKey, GGHistogramKey, GGMetrics } from "../src/index.js";

it("knows the label names from the definition, and from an explicit type", () => {
  const keys = GGMetrics.define("/t/", () => ({
    inferred: new GGCounterKey("a", { help: "", labelNames: ["api", "path"] }),
    byName: new GGCounterKey<"api" | "path">("b", { help: "", labelNames: ["api", "path"] }),
    byShape: new GGCounterKey<{ api: string; path: string }>("c", { help: "", labelNames: ["api", "path"] }),
    timed: new GGHistogramKey("d", { help: "", labelNames: ["api"], buckets: [1] }),
  }));
  keys.inferred.inc(1, { api: "A" });
  keys.byName.inc(1, { api: "A", path: "/" });
  keys.byShape.inc(1, { api: "A", path: "/" });
  // @ts-expect-error not a label of this metric
  keys.inferred.inc(1, { method: "m" });
  // @ts-expect-error not a label of this metric
  keys.byName.inc(1, { method: "m" });
  // @ts-expect-error not a label of this metric
  keys.byShape.inc(1, { method: "m" });
  expectTypeOf(keys.timed.startTimer({ api: "A" })).toEqualTypeOf<
    (more?: { readonly api?: string | number | boolean }) => number
  >();
});
