import type { GGHttpServer } from "@grest-ts/http";
import { GGPrometheusMetricsExporter } from "@grest-ts/metrics";

/** Serves the framework's metrics for Prometheus. */
export function serveMetrics(httpServer: GGHttpServer): void {
  const exporter = new GGPrometheusMetricsExporter();
  httpServer.registerRoute("GET", "/metrics", async (_request, response) => {
    const text = await exporter.export();
    response.writeHead(200, { "content-type": exporter.contentType }).end(text);
  });
}
