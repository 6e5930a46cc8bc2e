//! Expressions of Prometheus over the metrics that the application registers: the dashboard and the alerts ask them.

use crate::core::metrics::{CONNECTIONS, ERRORS, IN_FLIGHT, MOST_CONNECTIONS, REQUESTS, SECONDS};
use crate::core::work_metrics::{DELIVERY_ATTEMPTS, JOB_ATTEMPTS, JOB_SECONDS};
use crate::services::backlog::{BILLING_EVENTS, JOBS, OLDEST_JOB, UNCLEAR};

/// How far back a rate looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window(pub &'static str);

/// `sum by (route) (rate(http_requests_total[5m]))`
#[must_use]
pub fn requests_by(label: &str, Window(window): Window) -> String {
    format!("sum by ({label}) (rate({REQUESTS}_total[{window}]))")
}

/// Answers with an error, by their status.
#[must_use]
pub fn errors_by_status(Window(window): Window) -> String {
    format!("sum by (status) (rate({ERRORS}_total[{window}]))")
}

/// The part of all answers that were defects of the server.
#[must_use]
pub fn share_of_defects(Window(window): Window) -> String {
    let defects = format!("sum(rate({REQUESTS}_total{{status=~\"5..\"}}[{window}]))");
    // Without one defect there is no such series, and without one request no share.
    format!("({defects} or vector(0)) / (sum(rate({REQUESTS}_total[{window}])) > 0)")
}

/// How long the slowest requests but a few took.
#[must_use]
pub fn quantile(quantile: &str, Window(window): Window) -> String {
    format!("histogram_quantile({quantile}, sum by (le) (rate({SECONDS}_bucket[{window}])))")
}

/// The same for each route.
#[must_use]
pub fn quantile_by_route(quantile: &str, Window(window): Window) -> String {
    format!("histogram_quantile({quantile}, sum by (le, route) (rate({SECONDS}_bucket[{window}])))")
}

/// The mean time of an answer.
#[must_use]
pub fn mean_seconds(Window(window): Window) -> String {
    format!("sum(rate({SECONDS}_sum[{window}])) / sum(rate({SECONDS}_count[{window}]))")
}

/// The requests that are being answered, in all processes.
#[must_use]
pub fn in_flight() -> String {
    format!("sum({IN_FLIGHT})")
}

/// The connections to the database that are in use.
#[must_use]
pub fn connections() -> String {
    format!("sum({CONNECTIONS})")
}

/// The connections that there may be.
#[must_use]
pub fn most_connections() -> String {
    format!("sum({MOST_CONNECTIONS})")
}

/// The jobs that are not done, by a label. Every process counts the same ones.
#[must_use]
pub fn jobs_by(label: &str) -> String {
    format!("sum by ({label}) (max by (kind, status) ({JOBS}))")
}

/// The jobs that were given up.
#[must_use]
pub fn dead_jobs() -> String {
    format!("sum by (kind) (max by (kind, status) ({JOBS}{{status=\"dead\"}}))")
}

/// How late the jobs are.
#[must_use]
pub fn lateness_of_jobs() -> String {
    format!("max({OLDEST_JOB})")
}

/// The attempts at jobs, by a label.
#[must_use]
pub fn job_attempts_by(label: &str, Window(window): Window) -> String {
    format!("sum by ({label}) (rate({JOB_ATTEMPTS}_total[{window}]))")
}

/// The attempts at jobs that failed, by kind.
#[must_use]
pub fn failed_job_attempts(Window(window): Window) -> String {
    format!("sum by (kind) (rate({JOB_ATTEMPTS}_total{{{FAILED_JOB}}}[{window}]))")
}

/// The part of the attempts at jobs that failed, by kind.
#[must_use]
pub fn share_of_failed_jobs(window: Window) -> String {
    format!("{} / ({} > 0)", failed_job_attempts(window), job_attempts_by("kind", window))
}

/// How long the slowest attempts at jobs but a few took, by kind.
#[must_use]
pub fn job_quantile(quantile: &str, Window(window): Window) -> String {
    let buckets = format!("sum by (le, kind) (rate({JOB_SECONDS}_bucket[{window}]))");
    format!("histogram_quantile({quantile}, {buckets})")
}

/// The attempts to deliver to endpoints, by what came of them.
#[must_use]
pub fn deliveries(Window(window): Window) -> String {
    format!("sum by (outcome) (rate({DELIVERY_ATTEMPTS}_total[{window}]))")
}

/// The part of the attempts to deliver that no endpoint took.
#[must_use]
pub fn share_of_failed_deliveries(Window(window): Window) -> String {
    let all = format!("{DELIVERY_ATTEMPTS}_total");
    let failed = format!("sum(rate({all}{{{FAILED_DELIVERY}}}[{window}]))");
    format!("{failed} / (sum(rate({all}[{window}])) > 0)")
}

/// The attempts at jobs that did not do what they were for.
const FAILED_JOB: &str = "outcome=~\"retried|lost|dead\"";

/// The attempts to deliver after which the endpoint has not got it.
const FAILED_DELIVERY: &str = "outcome=~\"refused|unanswered\"";

/// The events of the billing provider that are not handled.
#[must_use]
pub fn billing_events_by_status() -> String {
    format!("max by (status) ({BILLING_EVENTS})")
}

/// The events of the billing provider that were given up.
#[must_use]
pub fn failed_billing_events() -> String {
    format!("max({BILLING_EVENTS}{{status=\"failed\"}})")
}

/// The subscriptions that a person has to look at, by what is not known of them.
#[must_use]
pub fn unclear_subscriptions() -> String {
    format!("max by (reason) ({UNCLEAR})")
}

/// Calls of the billing provider that were not taken.
#[must_use]
pub fn refused_billing_events(Window(window): Window) -> String {
    let labels = format!("route=\"{BILLING_WEBHOOK}\",status=~\"[45]..\"");
    format!("sum(increase({REQUESTS}_total{{{labels}}}[{window}]))")
}

/// Where the billing provider calls.
const BILLING_WEBHOOK: &str = "/billing/webhook";
