import { type Metric, type MetricValue, Registry } from "prom-client";
import { GGMetricsExporter } from "./exporters.js";
import type { GGHistogramDatum } from "./GGHistogramKey.js";
import type { GGMetricSnapshot, GGMetricsStore } from "./GGMetricsStore.js";

/** Exports the text that a Prometheus server scrapes. prom-client formats it; it receives no data before a scrape. */
export class GGPrometheusMetricsExporter extends GGMetricsExporter<Promise<string>> {
  /** The content type to answer a scrape with. */
  readonly contentType: string = Registry.PROMETHEUS_CONTENT_TYPE;

  export(store?: GGMetricsStore): Promise<string> {
    const registry = new Registry();
    for (const snapshot of this.resolve(store)?.getAllMetrics() ?? []) {
      registry.registerMetric(toPromMetric(snapshot));
    }
    return registry.metrics();
  }
}

/** `/websocket/connections_active` -> `websocket_connections_active`. */
export function prometheusName(name: string): string {
  const text = name.replace(/^\/+/, "").replace(/[^a-zA-Z0-9_:]/g, "_");
  return /^[0-9]/.test(text) ? `_${text}` : text;
}

function toPromMetric({ key, series }: GGMetricSnapshot): Metric {
  const name = prometheusName(key.name);
  const values: MetricValue<string>[] = [];
  for (const { labels, value } of series) {
    if (typeof value === "number") values.push({ labels, value });
    else if (key.type === "histogram") values.push(...histogramLines(name, labels, key.buckets, value));
  }
  // A registry reads only a metric's name and these data. prom-client's own classes would store the numbers again, and
  // its types do not allow a plain object.
  const data = { name, help: key.help, type: key.type, aggregator: "sum", values };
  return { name, get: async () => data } as unknown as Metric;
}

function histogramLines(
  name: string,
  labels: Readonly<Record<string, string>>,
  bounds: readonly number[],
  datum: GGHistogramDatum,
): (MetricValue<string> & { metricName: string })[] {
  return [
    ...bounds.map((le, i) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le },
      value: datum.values[i] ?? 0,
    })),
    { metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: datum.count },
    { metricName: `${name}_sum`, labels, value: datum.sum },
    { metricName: `${name}_count`, labels, value: datum.count },
  ];
}
