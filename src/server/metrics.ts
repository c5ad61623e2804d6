import { GG_METRICS, type GGCounterKey, type GGHistogramKey } from "@grest-ts/metrics";
import { type ApiLabels, GGWebSocketMetrics, type MethodLabels } from "../api/metrics.js";
import type { AsyncScope, SocketMetrics } from "../connection/endpoint.js";
import { hasService } from "../connection/locate.js";
import { BINARY_MESSAGE } from "../transport/node/ws.js";

/** How an attempt to connect ended, as the `result` label of `connections_total`. */
export type ConnectionResult =
  | "OK"
  | "QUERY_INVALID"
  | "HANDSHAKE_FAILED"
  | "HANDSHAKE_TOO_LARGE"
  | "ERROR"
  | "ORIGIN_REFUSED"
  | "TOO_MANY_HANDSHAKES"
  | "TOO_MANY_CONNECTIONS"
  | "TOO_MANY_CONNECTIONS_PER_ADDRESS"
  | "SHUTTING_DOWN"
  | "BUS_DOWN";

/**
 * Counts the traffic of one served API in the metrics store of the scope that registered it, whatever caused it.
 * Without a store it counts nothing.
 */
export class ServerMetrics implements SocketMetrics {
  readonly #labels: ApiLabels;
  readonly #opened: ApiLabels & { result: ConnectionResult };
  readonly #scope: AsyncScope;
  readonly #handled: Traffic;
  readonly #sent: Traffic;
  #onFailed: ((error: unknown) => void) | undefined;

  /** `onFailed` is called when the store first throws: each message may bring it to do so again. */
  constructor(api: string, path: string, scope: AsyncScope, onFailed: (error: unknown) => void) {
    this.#onFailed = onFailed;
    this.#labels = Object.freeze({ api, path });
    this.#opened = Object.freeze({ api, path, result: "OK" });
    this.#scope = scope;
    this.#handled = new Traffic(GGWebSocketMetrics.requests, GGWebSocketMetrics.requestDuration, this.#labels);
    this.#sent = new Traffic(GGWebSocketMetrics.outRequests, GGWebSocketMetrics.outRequestDuration, this.#labels);
  }

  /**
   * Shows that this API is served before there is anything to count: its gauge at 0, and all metrics to exporters that write
   * the description of one without series. Counts nothing, so that it may be called again.
   */
  show(): void {
    this.#countInScope(() => {
      GGWebSocketMetrics.connectionsActive.inc(0, this.#labels);
      const store = GG_METRICS.get();
      // A key of any kind: its type matters to what it returns only.
      for (const key of Object.values(GGWebSocketMetrics))
        store.get(key as typeof GGWebSocketMetrics.connectionsActive);
    });
  }

  /** An attempt to connect has succeeded. Called inside the scope. */
  opened(): void {
    this.#count(() => {
      GGWebSocketMetrics.connections.inc(1, this.#opened);
      GGWebSocketMetrics.connectionsActive.inc(1, this.#labels);
    });
  }

  closed(): void {
    this.#countInScope(() => GGWebSocketMetrics.connectionsActive.dec(1, this.#labels));
  }

  /** An attempt to connect has failed. */
  refused(result: ConnectionResult): void {
    this.#countInScope(() => GGWebSocketMetrics.connections.inc(1, { ...this.#labels, result }));
  }

  /** A member of a group has come back. */
  recovered(result: "OK" | "LOST"): void {
    this.#countInScope(() => GGWebSocketMetrics.recoveries.inc(1, { api: this.#labels.api, result }));
  }

  handled(method: string, result: string, startedAt?: number): void {
    this.#countTraffic(this.#handled, method, result, startedAt);
  }

  sent(method: string, result: string, startedAt?: number, count?: number): void {
    this.#scope(countSent, this, method, result, startedAt, count);
  }

  /** @internal */
  sentInScope(method: string, result: string, startedAt?: number, count?: number): void {
    this.#countTraffic(this.#sent, method, result, startedAt, count);
  }

  #countInScope(count: () => void): void {
    this.#scope(() => this.#count(count));
  }

  #count(count: () => void): void {
    try {
      if (hasService(GG_METRICS)) count();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Makes no closure: this is done for every message. */
  #countTraffic(traffic: Traffic, method: string, result: string, startedAt?: number, count?: number): void {
    try {
      if (hasService(GG_METRICS)) traffic.count(method, result, startedAt, count);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#onFailed?.(error);
    this.#onFailed = undefined;
  }
}

function countSent(metrics: ServerMetrics, ...sent: Parameters<ServerMetrics["sentInScope"]>): void {
  metrics.sentInScope(...sent);
}

type OutcomeLabels = MethodLabels & { result: string };

interface CountedMethod {
  readonly labels: MethodLabels;
  readonly results: Map<string, OutcomeLabels>;
}

/**
 * One direction's messages. Its label objects are made once: methods are those of the contract, and results the types
 * of its errors, so there are few.
 */
class Traffic {
  readonly #counter: GGCounterKey<OutcomeLabels>;
  readonly #durations: GGHistogramKey<MethodLabels>;
  readonly #api: ApiLabels;
  readonly #methods = new Map<string, CountedMethod>();
  /** Consecutive messages are often of one method. */
  #last: CountedMethod | undefined;

  constructor(counter: GGCounterKey<OutcomeLabels>, durations: GGHistogramKey<MethodLabels>, api: ApiLabels) {
    this.#counter = counter;
    this.#durations = durations;
    this.#api = api;
  }

  count(method: string, result: string, startedAt: number | undefined, by = 1): void {
    const known = this.#last?.labels.method === method ? this.#last : this.#find(method);
    this.#last = known;
    let labels = known.results.get(result);
    if (!labels) {
      labels = Object.freeze({ ...known.labels, result });
      known.results.set(result, labels);
    }
    this.#counter.inc(by, labels);
    if (startedAt !== undefined) this.#durations.observe(performance.now() - startedAt, known.labels);
  }

  #find(method: string): CountedMethod {
    let known = this.#methods.get(method);
    if (!known) {
      known = { labels: Object.freeze({ ...this.#api, method }), results: new Map() };
      this.#methods.set(method, known);
    }
    return known;
  }
}

/** What `ws` closes a connection for, by the code of its error: as the `result` that the metrics show. */
const PROTOCOL_RESULTS: Readonly<Record<string, string>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: "PAYLOAD_TOO_LARGE",
  WS_ERR_TOO_MANY_BUFFERED_PARTS: "TOO_MANY_FRAGMENTS",
  [BINARY_MESSAGE]: "BINARY_MESSAGE",
};

/** The `result` for a peer that has broken a rule of the WebSocket layer; `undefined` when only the network failed. */
export function protocolResult({ code = "" }: NodeJS.ErrnoException): string | undefined {
  return code.startsWith("WS_ERR_") ? (PROTOCOL_RESULTS[code] ?? "PROTOCOL_ERROR") : undefined;
}
