//! `render.yaml`: the product on render.com.

use super::dockerfile::STORAGE_FOLDER;
use super::yaml::{Yaml, list, map, print};
use crate::spec::{DeployTarget, EmailBackend, Spec};
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
    let variables = [
        map([("key", Yaml::from("ENVIRONMENT")), ("value", "production".into())]),
        map([("key", Yaml::from("SECRET_KEY")), ("generateValue", true.into())]),
        map([("key", Yaml::from("TRUSTED_PROXIES")), ("value", PROXIES.into())]),
    ];
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
    let asked = what_is_asked(spec);
    let asked = asked.iter().map(|&key| map([("key", Yaml::from(key)), ("sync", false.into())]));
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
    let of_server = |key: &&str| {
        let server = [("type", "web"), ("name", &spec.project.name), ("envVarKey", key)];
        map([("key", Yaml::from(*key)), ("fromService", map(server))])
    };
    let asked = what_is_asked(spec);
    let variables = connections(spec).into_iter().chain(asked.iter().map(of_server));
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

/// What only a person knows: the platform asks for it.
fn what_is_asked(spec: &Spec) -> Vec<&'static str> {
    let mut asked = vec!["FRONTEND_URL"];
    if spec.email.backend == EmailBackend::Smtp {
        asked.extend(["EMAIL_SENDER", "SMTP_HOST", "SMTP_USERNAME", "SMTP_PASSWORD"]);
    }
    if spec.storage.has_bucket() {
        asked.extend(["S3_BUCKET", "S3_REGION", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"]);
    }
    if spec.billing.is_some() {
        asked.extend(["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS"]);
    }
    asked
}
