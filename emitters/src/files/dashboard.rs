//! `deploy/grafana/dashboard.json`: what the metrics of the product look like.

use super::promql::{self, Window};
use crate::spec::Spec;
use crate::{Content, Generated};
use serde_json::{Value, json};

/// The least window that has two samples, whatever is on the screen.
const WINDOW: Window = Window("$__rate_interval");
/// The width of a dashboard, in units of its grid.
const WIDTH: usize = 24;
const HEIGHT: usize = 8;

/// A graph.
struct Panel {
    title: &'static str,
    /// What Grafana calls the unit.
    unit: &'static str,
    series: Vec<Series>,
}

/// An expression, and what its lines are called.
struct Series {
    expr: String,
    legend: &'static str,
}

/// The file, where the spec has metrics.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Generated> {
    let text = || serde_json::to_string_pretty(&dashboard(spec)).unwrap_or_default() + "\n";
    spec.observability.metrics.then(|| Generated {
        path: "deploy/grafana/dashboard.json".to_owned(),
        content: Content::Text(text()),
    })
}

fn dashboard(spec: &Spec) -> Value {
    let panels: Vec<Value> = panels(spec).into_iter().enumerate().map(panel).collect();
    json!({
        "uid": spec.project.name,
        "title": spec.project.title,
        "tags": [spec.project.name],
        "timezone": "browser",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": { "from": "now-6h", "to": "now" },
        "templating": { "list": [source()] },
        "panels": panels,
    })
}

/// Whoever imports the dashboard says which Prometheus.
fn source() -> Value {
    json!({
        "name": "source",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
    })
}

fn panel((place, panel): (usize, Panel)) -> Value {
    let Panel { title, unit, series } = panel;
    let source = json!({ "type": "prometheus", "uid": "${source}" });
    let targets: Vec<Value> = series
        .into_iter()
        .zip('A'..='Z')
        .map(|(Series { expr, legend }, letter)| {
            json!({
                "refId": letter.to_string(),
                "datasource": source,
                "expr": expr,
                "legendFormat": legend,
            })
        })
        .collect();
    let column = place % 2 * (WIDTH / 2);
    json!({
        "id": place + 1,
        "type": "timeseries",
        "title": title,
        "datasource": source,
        "gridPos": { "x": column, "y": place / 2 * HEIGHT, "w": WIDTH / 2, "h": HEIGHT },
        "fieldConfig": { "defaults": { "unit": unit, "min": 0 }, "overrides": [] },
        "targets": targets,
    })
}

fn panels(spec: &Spec) -> Vec<Panel> {
    let mut panels = of_requests();
    panels.extend(of_jobs());
    panels.extend(spec.webhooks.enabled.then(of_deliveries));
    panels.extend(spec.billing.iter().flat_map(|_| of_billing()));
    panels
}

fn of_billing() -> [Panel; 2] {
    [
        Panel {
            title: "Events of Stripe that are not handled",
            unit: "short",
            series: vec![series(promql::billing_events_by_status(), "{{status}}")],
        },
        Panel {
            title: "Subscriptions that a person has to look at",
            unit: "short",
            series: vec![series(promql::unclear_subscriptions(), "{{reason}}")],
        },
    ]
}

fn of_requests() -> Vec<Panel> {
    let answers = |quantile| promql::quantile(quantile, WINDOW);
    vec![
        Panel {
            title: "Requests by status",
            unit: "reqps",
            series: vec![series(promql::requests_by("status", WINDOW), "{{status}}")],
        },
        Panel {
            title: "Answers that are defects",
            unit: "percentunit",
            series: vec![series(promql::share_of_defects(WINDOW), "5xx")],
        },
        Panel {
            title: "Time of an answer",
            unit: "s",
            series: vec![
                series(answers("0.5"), "half"),
                series(answers("0.95"), "95 %"),
                series(answers("0.99"), "99 %"),
                series(promql::mean_seconds(WINDOW), "mean"),
            ],
        },
        Panel {
            title: "Errors by status",
            unit: "reqps",
            series: vec![series(promql::errors_by_status(WINDOW), "{{status}}")],
        },
        Panel {
            title: "Requests by route",
            unit: "reqps",
            series: vec![series(promql::requests_by("route", WINDOW), "{{route}}")],
        },
        Panel {
            title: "Time of an answer by route, 95 %",
            unit: "s",
            series: vec![series(promql::quantile_by_route("0.95", WINDOW), "{{route}}")],
        },
        Panel {
            title: "Requests that are being answered",
            unit: "short",
            series: vec![series(promql::in_flight(), "requests")],
        },
        Panel {
            title: "Connections to the database",
            unit: "short",
            series: vec![
                series(promql::connections(), "in use"),
                series(promql::most_connections(), "at most"),
            ],
        },
    ]
}

fn of_deliveries() -> Panel {
    Panel {
        title: "Deliveries of webhooks by outcome",
        unit: "ops",
        series: vec![series(promql::deliveries(WINDOW), "{{outcome}}")],
    }
}

fn of_jobs() -> [Panel; 6] {
    [
        Panel {
            title: "Jobs that are not done",
            unit: "short",
            series: vec![series(promql::jobs_by("status"), "{{status}}")],
        },
        Panel {
            title: "Jobs by kind",
            unit: "short",
            series: vec![series(promql::jobs_by("kind"), "{{kind}}")],
        },
        Panel {
            title: "How late jobs are",
            unit: "s",
            series: vec![series(promql::lateness_of_jobs(), "the oldest")],
        },
        Panel {
            title: "Attempts at jobs by outcome",
            unit: "ops",
            series: vec![series(promql::job_attempts_by("outcome", WINDOW), "{{outcome}}")],
        },
        Panel {
            title: "Attempts at jobs that failed",
            unit: "ops",
            series: vec![series(promql::failed_job_attempts(WINDOW), "{{kind}}")],
        },
        Panel {
            title: "Time of a job by kind, 95 %",
            unit: "s",
            series: vec![series(promql::job_quantile("0.95", WINDOW), "{{kind}}")],
        },
    ]
}

const fn series(expr: String, legend: &'static str) -> Series {
    Series { expr, legend }
}
