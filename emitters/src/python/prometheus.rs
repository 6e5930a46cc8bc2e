//! prometheus-client.

astgen_pyast::vocabulary! {
    "prometheus_client": CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram,
        generate_latest;
}
