//! `render.yaml`: the product on render.com.

use super::dockerfile::STORAGE_FOLDER;
use super::yaml::{Yaml, list, map, print};
use crate::core::settings::{Given, fields};
use crate::spec::{DeployTarget, Spec};
use crate::{Content, Generated};

/// Where the proxies of the platform call from.
const PROXIES: &str = "10.0.0.0/8";

/// The file, where the spec names the platform.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Generated> {
    if !spec.deploy.targets.contains(&DeployTarget::Render) {
        return None;
    }
    let document = map([
        ("databases", list([database(spec)])),
        ("envVarGroups", list([shared(spec)])),
        ("services", Yaml::List(services(spec))),
    ]);
    let content = Content::Text(print(&document));
    Some(Generated { path: "render.yaml".to_owned(), content })
}

fn database(spec: &Spec) -> Yaml {
    map([
        ("name", Yaml::from(format!("{}-database", spec.project.name))),
        ("plan", "basic-256mb".into()),
        ("postgresMajorVersion", "17".into()),
        ("ipAllowList", list::<Yaml>([])),
    ])
}

/// What the server and the worker have in common.
fn shared(spec: &Spec) -> Yaml {
    let environment = map([("key", Yaml::from("ENVIRONMENT")), ("value", "production".into())]);
    let proxies = map([("key", Yaml::from("TRUSTED_PROXIES")), ("value", PROXIES.into())]);
    let made = variables(spec, Given::Made);
    let made =
        made.map(|name| map([("key", Yaml::from(name)), ("generateValue", Yaml::from(true))]));
    let variables = [environment].into_iter().chain(made).chain([proxies]);
    map([("name", Yaml::from(group(spec))), ("envVars", list(variables))])
}

fn group(spec: &Spec) -> String {
    format!("{}-settings", spec.project.name)
}

fn services(spec: &Spec) -> Vec<Yaml> {
    let mut services = vec![server(spec)];
    if spec.jobs.has_workers() {
        services.extend([worker(spec), redis(spec)]);
    }
    services
}

fn server(spec: &Spec) -> Yaml {
    let asked = variables(spec, Given::Asked);
    let asked = asked.map(|name| map([("key", Yaml::from(name)), ("sync", false.into())]));
    let port = map([("key", Yaml::from("PORT")), ("value", "8000".into())]);
    let variables = connections(spec).into_iter().chain([port]).chain(asked);
    let mut server = vec![
        ("type", Yaml::from("web")),
        ("name", spec.project.name.as_str().into()),
        ("runtime", "docker".into()),
        ("plan", "starter".into()),
        ("dockerfilePath", "./Dockerfile".into()),
        ("preDeployCommand", "alembic upgrade head".into()),
        ("healthCheckPath", "/health/ready".into()),
        ("maxShutdownDelaySeconds", 30.into()),
    ];
    server.extend(spec.storage.is_in_folder().then(|| ("disk", disk())));
    server.push(("envVars", list(variables)));
    map(server)
}

/// The folder of files, which outlives the server; there is one instance of a server with a disk.
fn disk() -> Yaml {
    map([("name", Yaml::from("files")), ("mountPath", STORAGE_FOLDER.into()), ("sizeGB", 1.into())])
}

fn worker(spec: &Spec) -> Yaml {
    let of_server = |key: String| {
        let server = [("type", "web"), ("name", &spec.project.name), ("envVarKey", &key)];
        map([("key", Yaml::from(key.as_str())), ("fromService", map(server))])
    };
    let asked = variables(spec, Given::Asked);
    let variables = connections(spec).into_iter().chain(asked.map(of_server));
    map([
        ("type", Yaml::from("worker")),
        ("name", format!("{}-worker", spec.project.name).into()),
        ("runtime", "docker".into()),
        ("plan", "starter".into()),
        ("dockerfilePath", "./Dockerfile".into()),
        ("dockerCommand", "python -m app.worker".into()),
        ("maxShutdownDelaySeconds", 300.into()),
        ("envVars", list(variables)),
    ])
}

fn redis(spec: &Spec) -> Yaml {
    map([
        ("type", Yaml::from("keyvalue")),
        ("name", format!("{}-redis", spec.project.name).into()),
        ("plan", "starter".into()),
        ("maxmemoryPolicy", "noeviction".into()),
        ("ipAllowList", list::<Yaml>([])),
    ])
}

/// What the platform knows by itself.
fn connections(spec: &Spec) -> Vec<Yaml> {
    let database = [
        ("name", Yaml::from(format!("{}-database", spec.project.name))),
        ("property", "connectionString".into()),
    ];
    let mut connections = vec![
        map([("fromGroup", group(spec))]),
        map([("key", Yaml::from("DATABASE_URL")), ("fromDatabase", map(database))]),
    ];
    if spec.jobs.has_workers() {
        let redis = [
            ("type", Yaml::from("keyvalue")),
            ("name", format!("{}-redis", spec.project.name).into()),
            ("property", "connectionString".into()),
        ];
        connections.push(map([("key", Yaml::from("REDIS_URL")), ("fromService", map(redis))]));
    }
    connections
}

/// The variables that somebody gives: a person is asked for them, or the platform makes them.
fn variables(spec: &Spec, given: Given) -> impl Iterator<Item = String> {
    let settings = fields(spec).into_iter().filter(move |setting| setting.given == given);
    settings.map(|setting| setting.variable())
}
