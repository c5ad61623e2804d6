import { GG_METRICS } from "@grest-ts/metrics";
import { GGWebSocketMetrics } from "../contract/metrics.js";
import type { AsyncScope, SocketMetrics } from "../socket/endpoint.js";

/** How an attempt to connect ended, as the `result` label of `connections_total`. */
export type ConnectionResult = "OK" | "QUERY_INVALID" | "HANDSHAKE_FAILED" | "ERROR";

/**
 * Counts the traffic of one served API in the metrics store of the scope that registered it, whoever caused it. Without a
 * store it does next to nothing.
 */
export class ServerMetrics implements SocketMetrics {
  readonly #labels: { readonly api: string; readonly path: string };
  readonly #scope: AsyncScope;

  constructor(api: string, path: string, scope: AsyncScope) {
    this.#labels = { api, path };
    this.#scope = scope;
  }

  opened(): void {
    this.#count(() => GGWebSocketMetrics.connectionsActive.inc(1, this.#labels));
  }

  closed(): void {
    this.#count(() => GGWebSocketMetrics.connectionsActive.dec(1, this.#labels));
  }

  attempted(result: ConnectionResult): void {
    this.#count(() => GGWebSocketMetrics.connections.inc(1, { ...this.#labels, result }));
  }

  handled(method: string, result: string, durationMs?: number): void {
    this.#count(() => {
      GGWebSocketMetrics.requests.inc(1, { ...this.#labels, method, result });
      if (durationMs !== undefined) GGWebSocketMetrics.requestDuration.observe(durationMs, { ...this.#labels, method });
    });
  }

  sent(method: string, result: string, durationMs?: number): void {
    this.#count(() => {
      GGWebSocketMetrics.outRequests.inc(1, { ...this.#labels, method, result });
      if (durationMs !== undefined)
        GGWebSocketMetrics.outRequestDuration.observe(durationMs, { ...this.#labels, method });
    });
  }

  #count(count: () => void): void {
    this.#scope(() => {
      if (GG_METRICS.has()) count();
    });
  }
}
