import { GGCounterKey, GGGaugeKey, GGHistogramKey, GGMetrics } from "@grest-ts/metrics";

const DURATION_BUCKETS = [1, 5, 10, 25, 50, 100, 250, 500, 1000];
const METHOD_LABELS = ["api", "path", "method"] as const;
const BY_METHOD = { labels: ["api", "method"], template: "{api}.{method}" } as const;

/**
 * The metrics of served sockets, under `/websocket/`. `path` is the connection's path, `method` the contract's path such
 * as `ChatApi.sendMessage` (or `unknown`: names from the wire never become labels), `result` is `OK` or the error's type.
 */
export const GGWebSocketMetrics = /* @__PURE__ */ GGMetrics.define("/websocket/", () => ({
  /** Open connections. */
  connectionsActive: new GGGaugeKey("connections_active", {
    help: "Active WebSocket connections",
    labelNames: ["api", "path"],
    groupBy: { labels: ["api"] },
  }),
  /**
   * Attempts to connect: `OK`, `QUERY_INVALID`, `HANDSHAKE_FAILED`, `HANDSHAKE_TOO_LARGE`, `ERROR`, and those refused
   * before the upgrade: `ORIGIN_REFUSED`, `TOO_MANY_HANDSHAKES`, `TOO_MANY_CONNECTIONS`,
   * `TOO_MANY_CONNECTIONS_PER_ADDRESS`, `SHUTTING_DOWN`.
   */
  connections: new GGCounterKey("connections_total", {
    help: "WebSocket connection attempts by result",
    labelNames: ["api", "path", "result"],
    groupBy: { labels: ["api"] },
  }),
  /**
   * Messages and requests that were handled, and those that a limit refused: `RATE_LIMITED`, `TOO_MANY_REQUESTS`. What a
   * connection was closed for below the messages has the method `unknown`: `PAYLOAD_TOO_LARGE`, `TOO_MANY_FRAGMENTS`,
   * `BINARY_MESSAGE`, `PROTOCOL_ERROR`.
   */
  requests: new GGCounterKey("requests_total", {
    help: "Incoming WebSocket messages by result",
    labelNames: [...METHOD_LABELS, "result"],
    groupBy: BY_METHOD,
  }),
  /** How long handling took, in ms. */
  requestDuration: new GGHistogramKey("request_duration_ms", {
    help: "Time to handle an incoming WebSocket message, in ms",
    labelNames: METHOD_LABELS,
    buckets: DURATION_BUCKETS,
    groupBy: BY_METHOD,
  }),
  /** Messages and requests that were sent; `DROPPED` and `SLOW_CONSUMER` are those of a peer that reads too slowly. */
  outRequests: new GGCounterKey("out_requests_total", {
    help: "Outgoing WebSocket messages by result",
    labelNames: [...METHOD_LABELS, "result"],
    groupBy: BY_METHOD,
  }),
  /** How long the peer took to reply, in ms. */
  outRequestDuration: new GGHistogramKey("out_request_duration_ms", {
    help: "Round trip of an outgoing WebSocket request, in ms",
    labelNames: METHOD_LABELS,
    buckets: [...DURATION_BUCKETS, 2500],
    groupBy: BY_METHOD,
  }),
}));
