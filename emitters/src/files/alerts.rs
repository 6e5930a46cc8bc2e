//! `deploy/prometheus/`: what Prometheus reads, and when it wakes somebody.

use super::promql::{self, Window};
use super::yaml::{Yaml, list, map, print};
use crate::core::settings::{METRICS_PORT, WORKER_METRICS_PORT};
use crate::spec::{MetricsAccess, Spec};
use crate::{Content, Generated};

/// Somebody is to look at once, or on the next working day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Severity {
    Page,
    Ticket,
}

/// A rule that fires when its expression holds for a while.
struct Alert {
    name: &'static str,
    expr: String,
    lasts: &'static str,
    severity: Severity,
    summary: &'static str,
    /// What to look at first.
    description: &'static str,
}

/// The files, where the spec has metrics.
#[must_use]
pub fn emit(spec: &Spec) -> Vec<Generated> {
    if !spec.observability.metrics {
        return Vec::new();
    }
    let file = |path: &str, document: &Yaml| Generated {
        path: path.to_owned(),
        content: Content::Text(print(document)),
    };
    vec![
        file("deploy/prometheus/alerts.yml", &rules(spec)),
        file("deploy/prometheus/prometheus.yml", &scrape(spec)),
    ]
}

fn rules(spec: &Spec) -> Yaml {
    let rules = alerts(spec).into_iter().map(rule);
    let group = [("name", Yaml::from(spec.project.name.as_str())), ("rules", list(rules))];
    map([("groups", list([map(group)]))])
}

/// Prometheus beside the compose file: the server by its name there, and its token, if it has one, in a file.
fn scrape(spec: &Spec) -> Yaml {
    let port = if spec.observability.has_port() { METRICS_PORT } else { 8000 };
    let targets = list([format!("api:{port}")]);
    let token = || ("authorization", map([("credentials_file", "/etc/prometheus/metrics-token")]));
    let head =
        [("job_name", Yaml::from(spec.project.name.as_str())), ("metrics_path", "/metrics".into())];
    let job = head
        .into_iter()
        .chain(spec.observability.has_token().then(token))
        .chain([("static_configs", list([map([("targets", targets)])]))]);
    let worker = spec.jobs.has_workers().then(|| scrape_worker(spec));
    map([
        ("global", map([("scrape_interval", "15s"), ("evaluation_interval", "15s")])),
        ("rule_files", list(["alerts.yml"])),
        ("scrape_configs", list([map(job)].into_iter().chain(worker))),
    ])
}

/// The worker beside it, which asks for no token: nobody from outside reaches its port.
fn scrape_worker(spec: &Spec) -> Yaml {
    let targets = list([format!("worker:{WORKER_METRICS_PORT}")]);
    map([
        ("job_name", Yaml::from(worker_name(spec))),
        ("metrics_path", "/metrics".into()),
        ("static_configs", list([map([("targets", targets)])])),
    ])
}

/// What Prometheus calls the workers.
fn worker_name(spec: &Spec) -> String {
    format!("{}-worker", spec.project.name)
}

fn rule(alert: Alert) -> Yaml {
    let severity = match alert.severity {
        Severity::Page => "page",
        Severity::Ticket => "ticket",
    };
    map([
        ("alert", Yaml::from(alert.name)),
        ("expr", alert.expr.into()),
        ("for", alert.lasts.into()),
        ("labels", map([("severity", severity)])),
        ("annotations", map([("summary", alert.summary), ("description", alert.description)])),
    ])
}

fn alerts(spec: &Spec) -> Vec<Alert> {
    let mut alerts = vec![down(spec), defects(), slow(), crowded()];
    alerts.extend(jobs());
    alerts.extend(spec.jobs.has_workers().then(|| worker_down(spec)));
    alerts.extend(spec.webhooks.enabled.then(deliveries));
    alerts.extend(spec.billing.iter().flat_map(|_| billing()));
    alerts
}

fn down(spec: &Spec) -> Alert {
    Alert {
        name: "ServerDown",
        expr: format!("up{{job=\"{}\"}} == 0", spec.project.name),
        lasts: "2m",
        severity: Severity::Page,
        summary: "A server does not answer Prometheus.",
        description: match spec.observability.metrics_access {
            MetricsAccess::Token => {
                "See /health/ready, and whether the token in METRICS_TOKEN is the one sent."
            }
            MetricsAccess::Port => {
                "See /health/ready, and whether METRICS_HOST and METRICS_PORT can be reached."
            }
            MetricsAccess::Open => "See /health/ready.",
        },
    }
}

fn defects() -> Alert {
    Alert {
        name: "ServerErrors",
        expr: format!("{} > 0.01", promql::share_of_defects(Window("5m"))),
        lasts: "10m",
        severity: Severity::Page,
        summary: "More than one answer in a hundred is a 5xx.",
        description: "The log has each with its request id; the dashboard says which routes.",
    }
}

fn slow() -> Alert {
    Alert {
        name: "SlowAnswers",
        expr: format!("{} > 1", promql::quantile("0.95", Window("10m"))),
        lasts: "15m",
        severity: Severity::Ticket,
        summary: "One answer in twenty takes longer than a second.",
        description: "The dashboard has the time by route.",
    }
}

fn crowded() -> Alert {
    Alert {
        name: "ConnectionsScarce",
        expr: format!("{} / {} > 0.9", promql::connections(), promql::most_connections()),
        lasts: "5m",
        severity: Severity::Ticket,
        summary: "Almost all connections to the database are in use: requests wait for one.",
        description: "See what holds them so long; DATABASE_POOL_SIZE allows for more.",
    }
}

fn jobs() -> [Alert; 3] {
    [
        Alert {
            name: "JobsLate",
            expr: format!("{} > 300", promql::lateness_of_jobs()),
            lasts: "5m",
            severity: Severity::Page,
            summary: "Jobs that are due do not run: no mail leaves.",
            description: "See whether what runs the jobs is up and keeps up.",
        },
        Alert {
            name: "JobsFail",
            expr: format!("{} > 0.2", promql::share_of_failed_jobs(Window("30m"))),
            lasts: "15m",
            severity: Severity::Ticket,
            summary: "One attempt in five at jobs of a kind fails.",
            description: "The log has each with its error; they are tried again, and given up in \
                          the end.",
        },
        Alert {
            name: "JobsDead",
            expr: format!("{} > 0", promql::dead_jobs()),
            lasts: "1m",
            severity: Severity::Ticket,
            summary: "Jobs were given up.",
            description: "Their rows have the error; run them again once it is mended.",
        },
    ]
}

fn worker_down(spec: &Spec) -> Alert {
    Alert {
        name: "WorkerDown",
        expr: format!("up{{job=\"{}\"}} == 0", worker_name(spec)),
        lasts: "5m",
        severity: Severity::Ticket,
        summary: "A worker does not answer Prometheus.",
        description: "See whether it runs, and whether WORKER_METRICS_PORT can be reached.",
    }
}

fn deliveries() -> Alert {
    Alert {
        name: "DeliveriesFail",
        expr: format!("{} > 0.5", promql::share_of_failed_deliveries(Window("30m"))),
        lasts: "30m",
        severity: Severity::Ticket,
        summary: "Most deliveries of webhooks are not taken.",
        description: "One endpoint that is down has many attempts; when all fail, see whether \
                      the network lets them out.",
    }
}

fn billing() -> [Alert; 3] {
    [
        Alert {
            name: "BillingEventsFailed",
            expr: format!("{} > 0", promql::failed_billing_events()),
            lasts: "1m",
            severity: Severity::Page,
            summary: "Events of Stripe could not be followed.",
            description: "python -m app.billing failed lists them, and replay tries them again.",
        },
        Alert {
            name: "BillingEventsRefused",
            expr: format!("{} > 5", promql::refused_billing_events(Window("15m"))),
            lasts: "15m",
            severity: Severity::Page,
            summary: "Calls of Stripe are refused.",
            description: "See whether STRIPE_WEBHOOK_SECRETS has the secret of the endpoint.",
        },
        Alert {
            name: "SubscriptionsUnclear",
            expr: format!("{} > 0", promql::unclear_subscriptions()),
            lasts: "1m",
            severity: Severity::Page,
            summary: "Subscriptions have a status or a price that is not known here.",
            description: "The log names them. Give a price the lookup key of its plan; a new \
                          status has to be learned.",
        },
    ]
}
