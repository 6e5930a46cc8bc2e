//! prometheus-client.

astgen_pyast::vocabulary! {
    "prometheus_client": CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram,
        generate_latest, start_http_server, values;
    "prometheus_client.core": GaugeMetricFamily;
    "prometheus_client.multiprocess": MultiProcessCollector;
    "prometheus_client.registry": Collector;
    "prometheus_client.samples": Sample;
}
