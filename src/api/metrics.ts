import { GGCounterKey, GGGaugeKey, GGHistogramKey, GGMetrics } from "@grest-ts/metrics";

// Aliases: an interface does not fit the record of labels that a metric key takes.

/** The labels of a served API. */
export type ApiLabels = { api: string; path: string };

/** The labels of a bus. */
export type BusLabels = { bus: string };

/** The labels of what a bus carries for an API. */
export type BusTrafficLabels = { api: string; result: string };

/** The labels of one method of an API. */
export type MethodLabels = ApiLabels & { method: string };

type WithResult<L> = L & { result: string };

/**
 * The metrics of served sockets, under `/websocket/`. `path` is the connection's path, `method` the contract's path
 * such as `ChatApi.sendMessage` (or `unknown`: names from the wire never become labels), `result` is `OK` or the
 * error's type.
 */
export const GGWebSocketMetrics = /* @__PURE__ */ GGMetrics.define("/websocket/", () => {
  const DURATION_BUCKETS = [1, 5, 10, 25, 50, 100, 250, 500, 1000];
  const API: (keyof ApiLabels)[] = ["api", "path"];
  const METHOD: (keyof MethodLabels)[] = [...API, "method"];
  const BY_API: { labels: "api"[] } = { labels: ["api"] };
  const BY_BUS: { labels: "bus"[] } = { labels: ["bus"] };
  const BUS_TRAFFIC: (keyof BusTrafficLabels)[] = ["api", "result"];
  const BY_METHOD: { labels: ("api" | "method")[]; template: string } = {
    labels: ["api", "method"],
    template: "{api}.{method}",
  };
  return {
    /** Open connections. */
    connectionsActive: new GGGaugeKey<ApiLabels>("connections_active", {
      help: "Active WebSocket connections",
      labelNames: API,
      groupBy: BY_API,
    }),
    /**
     * Attempts to connect: `OK`, `QUERY_INVALID`, `HANDSHAKE_FAILED`, `HANDSHAKE_TOO_LARGE`, `ERROR`, and those refused
     * before the upgrade: `ORIGIN_REFUSED`, `TOO_MANY_HANDSHAKES`, `TOO_MANY_CONNECTIONS`,
     * `TOO_MANY_CONNECTIONS_PER_ADDRESS`, `SHUTTING_DOWN`, `BUS_DOWN`.
     */
    connections: new GGCounterKey<WithResult<ApiLabels>>("connections_total", {
      help: "WebSocket connection attempts by result",
      labelNames: [...API, "result"],
      groupBy: BY_API,
    }),
    /**
     * Messages and requests that were handled, and those that a limit refused: `RATE_LIMITED`, `TOO_MANY_REQUESTS`.
     * What a connection was closed for below the messages has the method `unknown`: `PAYLOAD_TOO_LARGE`,
     * `TOO_MANY_FRAGMENTS`, `BINARY_MESSAGE`, `PROTOCOL_ERROR`.
     */
    requests: new GGCounterKey<WithResult<MethodLabels>>("requests_total", {
      help: "Incoming WebSocket messages by result",
      labelNames: [...METHOD, "result"],
      groupBy: BY_METHOD,
    }),
    /** How long handling took, in ms. */
    requestDuration: new GGHistogramKey<MethodLabels>("request_duration_ms", {
      help: "Time to handle an incoming WebSocket message, in ms",
      labelNames: METHOD,
      buckets: DURATION_BUCKETS,
      groupBy: BY_METHOD,
    }),
    /**
     * Messages and requests that were sent; `DROPPED` and `SLOW_CONSUMER` are those of a peer that reads too slowly.
     */
    outRequests: new GGCounterKey<WithResult<MethodLabels>>("out_requests_total", {
      help: "Outgoing WebSocket messages by result",
      labelNames: [...METHOD, "result"],
      groupBy: BY_METHOD,
    }),
    /** How long the peer took to reply, in ms. */
    outRequestDuration: new GGHistogramKey<MethodLabels>("out_request_duration_ms", {
      help: "Round trip of an outgoing WebSocket request, in ms",
      labelNames: METHOD,
      buckets: [...DURATION_BUCKETS, 2500],
      groupBy: BY_METHOD,
    }),
    /**
     * Messages that were handed to a bus for the other nodes: `OK`, and those that were not published: `DOWN`, `TIMEOUT`,
     * `LIMIT`, `REFUSED`, `CLOSED`.
     */
    busPublished: new GGCounterKey<BusTrafficLabels>("bus_published_total", {
      help: "Messages published to other nodes by result",
      labelNames: BUS_TRAFFIC,
      groupBy: BY_API,
    }),
    /** Messages of a bus that reached this node: `OK`, or `UNREADABLE` for what this version does not know. */
    busReceived: new GGCounterKey<BusTrafficLabels>("bus_received_total", {
      help: "Messages received from nodes by result",
      labelNames: BUS_TRAFFIC,
      groupBy: BY_API,
    }),
    /**
     * Holes in what a bus has delivered: `OK` when the messages were read again, `LOST` when they could not, `FAILED` for
     * an attempt that the bus has refused.
     */
    busHealed: new GGCounterKey<BusTrafficLabels>("bus_healed_total", {
      help: "Holes in what other nodes have sent by result",
      labelNames: BUS_TRAFFIC,
      groupBy: BY_API,
    }),
    /**
     * Members of groups that came back: `OK` for those that got all that they had missed, `LOST` for those that did not.
     */
    recoveries: new GGCounterKey<BusTrafficLabels>("recoveries_total", {
      help: "Members of groups that came back by result",
      labelNames: BUS_TRAFFIC,
      groupBy: BY_API,
    }),
    /** Messages that wait to be published. */
    busQueue: new GGGaugeKey<BusLabels>("bus_queue", {
      help: "Messages that wait to be published to other nodes",
      labelNames: ["bus"],
      groupBy: BY_BUS,
    }),
    /** 1 while a bus reaches the other nodes, else 0. */
    busUp: new GGGaugeKey<BusLabels>("bus_up", {
      help: "Whether the other nodes are reached",
      labelNames: ["bus"],
      groupBy: BY_BUS,
    }),
  };
});
