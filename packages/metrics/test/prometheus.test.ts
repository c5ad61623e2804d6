import { beforeEach, expect, it } from "vitest";
import {
  GG_METRICS,
  GGCounterKey,
  GGGaugeKey,
  GGHistogramKey,
  GGMetrics,
  GGMetricsStore,
  GGPrometheusMetricsExporter,
} from "../src/index.js";

const Keys = GGMetrics.define("/websocket/", () => ({
  active: new GGGaugeKey<{ api: string; path: string }>("connections_active", {
    help: "Open connections",
    labelNames: ["api", "path"],
  }),
  requests: new GGCounterKey<{ method: string }>("requests_total", { help: "Requests", labelNames: ["method"] }),
  duration: new GGHistogramKey<{ api: string }>("request_duration_ms", {
    help: "Duration",
    labelNames: ["api"],
    buckets: [1, 2.5],
  }),
}));

beforeEach(() => GG_METRICS.set(new GGMetricsStore()));

it("writes each kind of metric as Prometheus reads it", async () => {
  Keys.active.set(3, { api: "ChatApi", path: "/ws/chat" });
  for (const value of [0.5, 2, 7]) Keys.duration.observe(value, { api: "ChatApi" });
  expect((await new GGPrometheusMetricsExporter().export()).split("\n").filter((line) => line !== "")).toEqual([
    "# HELP websocket_connections_active Open connections",
    "# TYPE websocket_connections_active gauge",
    'websocket_connections_active{api="ChatApi",path="/ws/chat"} 3',
    "# HELP websocket_request_duration_ms Duration",
    "# TYPE websocket_request_duration_ms histogram",
    'websocket_request_duration_ms_bucket{api="ChatApi",le="1"} 1',
    'websocket_request_duration_ms_bucket{api="ChatApi",le="2.5"} 2',
    'websocket_request_duration_ms_bucket{api="ChatApi",le="+Inf"} 3',
    'websocket_request_duration_ms_sum{api="ChatApi"} 9.5',
    'websocket_request_duration_ms_count{api="ChatApi"} 3',
  ]);
});

it("escapes characters that would break a line", async () => {
  Keys.requests.inc(1, { method: 'a"b\\c\nd' });
  const text = await new GGPrometheusMetricsExporter().export();
  expect(text).toContain('websocket_requests_total{method="a\\"b\\\\c\\nd"} 1');
});

it("can export repeatedly, and any store", async () => {
  const exporter = new GGPrometheusMetricsExporter();
  Keys.requests.inc(1, { method: "m" });
  await exporter.export();
  Keys.requests.inc(1, { method: "m" });
  expect(await exporter.export()).toContain('websocket_requests_total{method="m"} 2');
  expect((await exporter.export(new GGMetricsStore())).trim()).toBe("");
  expect(exporter.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
});
