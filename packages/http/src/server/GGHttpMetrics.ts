import { GGCounterKey, GGHistogramKey, GGMetrics } from "@grest-ts/metrics";

/** What the HTTP server measures of its API methods. `result` is `OK` or the error's type. */
export const GGHttpMetrics = GGMetrics.define("/http/", () => ({
  requests: new GGCounterKey<{ api: string; method: string; result: string }>("requests_total", {
    help: "API requests answered",
    labelNames: ["api", "method", "result"],
  }),
  requestDuration: new GGHistogramKey<{ api: string; method: string }>("request_duration_ms", {
    help: "Time from an API request to its result, in milliseconds",
    labelNames: ["api", "method"],
    buckets: [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500],
  }),
}));
