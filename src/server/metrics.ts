import { GG_METRICS } from "@grest-ts/metrics";
import { GGWebSocketMetrics } from "../contract/metrics.js";
import type { SocketMetrics } from "../socket/endpoint.js";

/** How an attempt to connect ended, as the `result` label of `connections_total`. */
export type ConnectionResult = "OK" | "QUERY_INVALID" | "HANDSHAKE_FAILED" | "ERROR";

/** Counts the traffic of one served API. Without a metrics store it does next to nothing. */
export class ServerMetrics implements SocketMetrics {
  readonly #labels: { readonly api: string; readonly path: string };

  constructor(api: string, path: string) {
    this.#labels = { api, path };
  }

  opened(): void {
    if (!GG_METRICS.has()) return;
    GGWebSocketMetrics.connectionsActive.inc(1, this.#labels);
  }

  closed(): void {
    if (!GG_METRICS.has()) return;
    GGWebSocketMetrics.connectionsActive.dec(1, this.#labels);
  }

  attempted(result: ConnectionResult): void {
    if (!GG_METRICS.has()) return;
    GGWebSocketMetrics.connections.inc(1, { ...this.#labels, result });
  }

  handled(method: string, result: string, durationMs?: number): void {
    if (!GG_METRICS.has()) return;
    GGWebSocketMetrics.requests.inc(1, { ...this.#labels, method, result });
    if (durationMs !== undefined) GGWebSocketMetrics.requestDuration.observe(durationMs, { ...this.#labels, method });
  }

  sent(method: string, result: string, durationMs?: number): void {
    if (!GG_METRICS.has()) return;
    GGWebSocketMetrics.outRequests.inc(1, { ...this.#labels, method, result });
    if (durationMs !== undefined)
      GGWebSocketMetrics.outRequestDuration.observe(durationMs, { ...this.#labels, method });
  }
}
