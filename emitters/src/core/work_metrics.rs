//! `backend/app/core/work_metrics.py`: metrics of what no request waits for: jobs, and deliveries of webhooks.

use crate::python::prometheus::{CollectorRegistry, Counter, Histogram};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.work_metrics": WorkMetrics;
}

/// The attempts at jobs that came to an end.
pub const JOB_ATTEMPTS: &str = "background_job_attempts";
/// How long they took.
pub const JOB_SECONDS: &str = "background_job_duration_seconds";
/// The attempts to deliver something to an endpoint.
pub const DELIVERY_ATTEMPTS: &str = "webhook_delivery_attempts";

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let docstring = match spec.webhooks.enabled {
        true => "Metrics of what no request waits for: jobs, and deliveries of webhooks.",
        false => "Metrics of what no request waits for: jobs.",
    };
    module("app.core.work_metrics").docstring(docstring).body(block![work_metrics_class(spec)])
}

fn work_metrics_class(spec: &Spec) -> ClassDef {
    class(WorkMetrics).body(block![
        docstring("What one process did beside the requests."),
        work_metrics_init(spec.webhooks.enabled)
    ])
}

fn work_metrics_init(has_webhooks: bool) -> FunctionDef {
    let deliveries = || {
        let counter = py!(Counter(
            DELIVERY_ATTEMPTS,
            "Attempts to deliver to an endpoint, by what came of them.",
            ["outcome"],
            registry = self.registry
        ));
        assign(py!(self.deliveries), counter)
    };
    def("__init__").params([untyped("self")]).returns(none()).body(block![
        docstring("Register every metric in a registry of its own."),
        assign(py!(self.registry), py!(CollectorRegistry())),
        assign(
            py!(self.jobs),
            py!(Counter(
                JOB_ATTEMPTS,
                "Attempts at jobs, by how they ended.",
                ["kind", "outcome"],
                registry = self.registry
            ))
        ),
        assign(
            py!(self.seconds),
            py!(Histogram(
                JOB_SECONDS,
                "Time that an attempt at a job took.",
                ["kind"],
                buckets = (0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300),
                registry = self.registry
            ))
        ),
        has_webhooks.then(deliveries)
    ])
}
