//! `fly.toml`: the product on fly.io.

use super::dockerfile::{STORAGE_FOLDER, server_command};
use super::toml_document::{list, table};
use crate::core::settings::{METRICS_PORT, WORKER_METRICS_PORT};
use crate::spec::{DeployTarget, Spec};
use crate::{Content, Generated};
use toml_edit::{ArrayOfTables, DocumentMut, Item, value};

/// Where the proxies of the platform call from.
const PROXIES: &str = "172.16.0.0/12";

/// The file, where the spec names the platform.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Generated> {
    if !spec.deploy.targets.contains(&DeployTarget::Fly) {
        return None;
    }
    let mut document = DocumentMut::new();
    document.insert("app", value(&spec.project.name));
    document.insert("primary_region", value("iad"));
    document.insert("kill_signal", value("SIGTERM"));
    document.insert("kill_timeout", value("30s"));
    document.insert("build", table([("dockerfile", value("Dockerfile"))]));
    document.insert("deploy", table([("release_command", value("alembic upgrade head"))]));
    document.insert("env", environment(spec));
    document.insert("processes", processes(spec));
    document.insert("http_service", http_service());
    if spec.storage.is_in_folder() {
        document.insert("mounts", files());
    }
    if spec.observability.has_port() {
        document.insert("metrics", metrics(spec));
    }
    document.insert("vm", machines());
    Some(Generated { path: "fly.toml".to_owned(), content: Content::Text(document.to_string()) })
}

fn environment(spec: &Spec) -> Item {
    let hosts = format!("{}.fly.dev", spec.project.name);
    let variables = [
        ("ENVIRONMENT", value("production")),
        ("TRUSTED_PROXIES", value(PROXIES)),
        ("ALLOWED_HOSTS", value(hosts)),
    ];
    let is_asked = spec.observability.has_port() && spec.jobs.has_workers();
    let port = ("WORKER_METRICS_PORT", value(WORKER_METRICS_PORT.to_string()));
    table(variables.into_iter().chain(is_asked.then_some(port)))
}

/// The platform sends no token, and so reads what has a port of its own.
fn metrics(spec: &Spec) -> Item {
    let at = |process, port: u16| {
        let port = value(i64::from(port));
        table([("port", port), ("path", value("/metrics")), ("processes", list([process]))])
    };
    let worker = spec.jobs.has_workers().then(|| at("worker", WORKER_METRICS_PORT));
    let tables = [at("app", METRICS_PORT)].into_iter().chain(worker);
    let tables = tables.filter_map(|item| item.into_table().ok());
    Item::ArrayOfTables(ArrayOfTables::from_iter(tables))
}

fn processes(spec: &Spec) -> Item {
    let worker = ("worker", value("python -m app.worker"));
    let server = ("app", value(server_command(spec).join(" ")));
    table([server].into_iter().chain(spec.jobs.has_workers().then_some(worker)))
}

/// A machine that sleeps looks for no jobs: none is stopped.
fn http_service() -> Item {
    table([
        ("internal_port", value(8000)),
        ("force_https", value(true)),
        ("auto_stop_machines", value("off")),
        ("auto_start_machines", value(true)),
        ("min_machines_running", value(1)),
        ("processes", list(["app"])),
        (
            "checks",
            several([
                ("method", value("GET")),
                ("path", value("/health/ready")),
                ("interval", value("15s")),
                ("timeout", value("5s")),
                ("grace_period", value("20s")),
            ]),
        ),
    ])
}

/// The folder of files, which outlives the machines.
fn files() -> Item {
    several([
        ("source", value("files")),
        ("destination", value(STORAGE_FOLDER)),
        ("initial_size", value("1gb")),
        ("processes", list(["app"])),
    ])
}

fn machines() -> Item {
    several([("size", value("shared-cpu-1x")), ("memory", value("512mb"))])
}

/// `[[header]]`, once.
fn several<'a>(entries: impl IntoIterator<Item = (&'a str, Item)>) -> Item {
    let tables = table(entries).into_table().into_iter();
    Item::ArrayOfTables(ArrayOfTables::from_iter(tables))
}
