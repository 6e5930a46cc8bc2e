//! The architecture of a product as a picture: what the spec turns on, and nothing else.

use super::markdown::Block;
use super::mermaid::{Diagram, Flowchart, Group, Link, Node, Part, Shape};
use crate::spec::{EmailBackend, Spec, StorageBackend};
use astgen_pyast::{Name, name};

const CLIENTS: Name = name("clients");
const PRODUCT: Name = name("product");
const MIDDLEWARE: Name = name("middleware");
const API: Name = name("api");
const SERVICES: Name = name("services");
const JOBS: Name = name("jobs");
const DATABASE: Name = name("database");
const REDIS: Name = name("redis");
const FILES: Name = name("files");
const STRIPE: Name = name("stripe");
const SMTP: Name = name("smtp");
const ENDPOINTS: Name = name("endpoints");
const PROMETHEUS: Name = name("prometheus");
const COLLECTOR: Name = name("collector");

/// The picture. The order of its parts and links decides how few lines cross.
#[must_use]
pub fn architecture(spec: &Spec) -> Block {
    let parts = [callers(spec), vec![product(spec)], stores(spec), receivers(spec)].concat();
    let links = [requests(spec), files(spec), jobs(spec)].concat();
    Block::Diagram(Diagram::Flowchart(Flowchart { parts, links }))
}

/// Who calls the product.
fn callers(spec: &Spec) -> Vec<Part> {
    let callers = [
        (true, CLIENTS, "Browsers and programs"),
        (spec.billing.is_some(), STRIPE, "Stripe"),
        (spec.observability.metrics, PROMETHEUS, "Prometheus"),
    ];
    let callers = callers.into_iter().filter(|(is_on, ..)| *is_on);
    callers.map(|(_, name, label)| node(name, Shape::Outside, &[label])).collect()
}

/// What runs the code of the project.
fn product(spec: &Spec) -> Part {
    let jobs: &[&str] = match spec.jobs.has_workers() {
        true => &["Workers", "app/worker"],
        false => &["Jobs", "in the server"],
    };
    let parts = vec![
        node(MIDDLEWARE, Shape::Box, &["Middleware", "app/core"]),
        node(API, Shape::Box, &["FastAPI routers", "app/api"]),
        node(SERVICES, Shape::Box, &["Services", "app/services"]),
        node(JOBS, Shape::Box, jobs),
    ];
    Part::Group(Group { name: PRODUCT, label: spec.project.title.clone(), parts })
}

/// What keeps something.
fn stores(spec: &Spec) -> Vec<Part> {
    let files: Option<&[&str]> = match spec.storage.backend {
        StorageBackend::Off => None,
        StorageBackend::Local => Some(&["Folder of files"]),
        StorageBackend::S3 => Some(&["Bucket of files", "S3"]),
    };
    let database: &[&str] = match spec.tenancy.row_level_security {
        true => &["PostgreSQL", "with row-level security", "or SQLite, for development"],
        false => &["PostgreSQL", "or SQLite, for development"],
    };
    let redis: &[&str] = &["Redis", "queue of jobs, rate limits"];
    let stores = [
        (REDIS, spec.jobs.has_workers().then_some(redis)),
        (FILES, files),
        (DATABASE, Some(database)),
    ];
    let stores = stores.into_iter().filter_map(|(name, label)| Some((name, label?)));
    stores.map(|(name, label)| node(name, Shape::Store, label)).collect()
}

/// Whom the product calls.
fn receivers(spec: &Spec) -> Vec<Part> {
    let mut receivers = Vec::new();
    if spec.email.backend == EmailBackend::Smtp {
        receivers.push(node(SMTP, Shape::Outside, &["Mail server"]));
    }
    if spec.webhooks.enabled {
        let label = ["Webhook endpoints", "of organizations"];
        receivers.push(node(ENDPOINTS, Shape::Outside, &label));
    }
    if spec.observability.tracing {
        receivers.push(node(COLLECTOR, Shape::Outside, &["Collector", "of OpenTelemetry"]));
    }
    receivers
}

/// The way of a request.
fn requests(spec: &Spec) -> Vec<Link> {
    let mut requests = vec![labelled(CLIENTS, "HTTPS", MIDDLEWARE)];
    if spec.billing.is_some() {
        requests.push(labelled(STRIPE, "events", MIDDLEWARE));
    }
    if spec.observability.metrics {
        requests.push(labelled(PROMETHEUS, "/metrics", MIDDLEWARE));
    }
    requests.extend([link(MIDDLEWARE, API), link(API, SERVICES), link(SERVICES, DATABASE)]);
    if spec.billing.is_some() {
        requests.push(labelled(SERVICES, "API", STRIPE));
    }
    requests
}

/// The way of a file. A bucket also takes what the product has signed.
fn files(spec: &Spec) -> Vec<Link> {
    let mut files = Vec::new();
    if spec.storage.has_bucket() {
        files.push(labelled(CLIENTS, "signed requests", FILES));
    }
    if spec.storage.is_on() {
        files.push(link(SERVICES, FILES));
    }
    files
}

/// The way of what no request waits for.
fn jobs(spec: &Spec) -> Vec<Link> {
    let mut jobs = match spec.jobs.has_workers() {
        true => vec![labelled(SERVICES, "jobs", REDIS), link(REDIS, JOBS)],
        false => vec![link(SERVICES, JOBS)],
    };
    jobs.push(link(JOBS, DATABASE));
    if spec.storage.is_on() {
        jobs.push(link(JOBS, FILES));
    }
    if spec.email.backend == EmailBackend::Smtp {
        jobs.push(labelled(JOBS, "mails", SMTP));
    }
    if spec.webhooks.enabled {
        jobs.push(labelled(JOBS, "signed events", ENDPOINTS));
    }
    if spec.observability.tracing {
        jobs.extend([MIDDLEWARE, JOBS].map(|from| labelled(from, "traces", COLLECTOR)));
    }
    jobs
}

fn node(name: Name, shape: Shape, label: &[&str]) -> Part {
    let label = label.iter().map(|&line| line.to_owned()).collect();
    Part::Node(Node { name, shape, label })
}

fn link(from: Name, to: Name) -> Link {
    Link { from, to, label: None }
}

/// An arrow with words beside it.
fn labelled(from: Name, label: &str, to: Name) -> Link {
    Link { from, to, label: Some(label.to_owned()) }
}
