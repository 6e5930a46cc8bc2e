//! `compose.yaml`: the product on one machine, with everything that it talks to.

use super::dockerfile::STORAGE_FOLDER;
use super::yaml::{Yaml, list, map, print};
use crate::core::settings::{PUBLISHED_SECRET, WORKER_METRICS_PORT};
use crate::migrations::sql::identifier;
use crate::spec::{EmailBackend, Spec};
use crate::{Content, Generated};

const POSTGRESQL: &str = "postgres:17-alpine";
const REDIS: &str = "redis:8-alpine";
const STORE: &str = "minio/minio:RELEASE.2025-04-22T22-12-26Z";
const STORE_CLIENT: &str = "minio/mc:RELEASE.2025-04-16T18-13-26Z";
/// Who may use the store: it listens on this machine only.
const STORE_USER: &str = "minio";
const STORE_PASSWORD: &str = "minio-password";
const MAIL_CATCHER: &str = "axllent/mailpit:v1.27";

/// The file.
#[must_use]
pub fn emit(spec: &Spec) -> Generated {
    let document = map([
        ("name", Yaml::from(spec.project.name.as_str())),
        ("services", Yaml::Map(services(spec))),
        ("configs", map([("roles", map([("content", roles(spec))]))])),
        ("volumes", volumes(spec)),
    ]);
    Generated { path: "compose.yaml".to_owned(), content: Content::Text(print(&document)) }
}

fn volumes(spec: &Spec) -> Yaml {
    let names = ["database"].into_iter().chain(kept_files(spec));
    map(names.map(|name| (name, map::<&str, Yaml>([]))))
}

/// What keeps the files, if anything does: the disk of the store, or the folder of the server.
fn kept_files(spec: &Spec) -> Option<&'static str> {
    match (spec.storage.is_on(), spec.storage.has_bucket()) {
        (_, true) => Some("store"),
        (true, false) => Some("files"),
        (false, false) => None,
    }
}

fn services(spec: &Spec) -> Vec<(String, Yaml)> {
    let mut services = vec![("migrate".to_owned(), migrate(spec)), ("api".to_owned(), api(spec))];
    if spec.jobs.has_workers() {
        services.push(("worker".to_owned(), worker(spec)));
        services.push(("redis".to_owned(), redis()));
    }
    if spec.email.backend == EmailBackend::Smtp {
        services.push(("mail".to_owned(), mail()));
    }
    if spec.storage.has_bucket() {
        services.push(("store".to_owned(), store()));
        services.push(("bucket".to_owned(), bucket(spec)));
    }
    services.push(("database".to_owned(), database()));
    services
}

fn migrate(spec: &Spec) -> Yaml {
    map([
        ("build", Yaml::from(".")),
        ("command", list(["alembic", "upgrade", "head"])),
        ("environment", map(environment(spec))),
        ("healthcheck", map([("disable", true)])),
        ("depends_on", map([("database", condition("service_healthy"))])),
    ])
}

fn api(spec: &Spec) -> Yaml {
    let mut api = vec![
        ("build", Yaml::from(".")),
        ("init", true.into()),
        ("environment", map(environment(spec))),
        ("ports", list(["127.0.0.1:8000:8000"])),
    ];
    api.extend(files(spec));
    api.extend([
        ("restart", Yaml::from("unless-stopped")),
        ("depends_on", Yaml::Map(what_is_needed(spec))),
    ]);
    map(api)
}

/// The folder that the server and the worker keep files in, where no bucket does.
fn files(spec: &Spec) -> Option<(&'static str, Yaml)> {
    spec.storage.is_in_folder().then(|| ("volumes", list([format!("files:{STORAGE_FOLDER}")])))
}

fn worker(spec: &Spec) -> Yaml {
    let mut variables = environment(spec);
    if spec.observability.metrics {
        variables.push(("WORKER_METRICS_PORT", WORKER_METRICS_PORT.to_string().into()));
    }
    let mut worker = vec![
        ("build", Yaml::from(".")),
        ("command", list(["python", "-m", "app.worker"])),
        ("init", true.into()),
        ("environment", map(variables)),
    ];
    worker.extend(files(spec));
    worker.extend([
        ("healthcheck", map([("disable", true)])),
        ("restart", Yaml::from("unless-stopped")),
        ("depends_on", Yaml::Map(what_is_needed(spec))),
    ]);
    map(worker)
}

fn what_is_needed(spec: &Spec) -> Vec<(String, Yaml)> {
    let migrate = ("migrate".to_owned(), condition("service_completed_successfully"));
    let redis = ("redis".to_owned(), condition("service_healthy"));
    let bucket = ("bucket".to_owned(), condition("service_completed_successfully"));
    let redis = spec.jobs.has_workers().then_some(redis);
    [migrate].into_iter().chain(redis).chain(spec.storage.has_bucket().then_some(bucket)).collect()
}

fn condition(condition: &str) -> Yaml {
    map([("condition", condition)])
}

/// What the server, the worker and the migrations have in common.
fn environment(spec: &Spec) -> Vec<(&'static str, Yaml)> {
    let role = spec.project.identifier.as_str();
    let url =
        |role: &str, database: &str| format!("postgresql://{role}:{role}@database/{database}");
    let mut environment = vec![
        ("ENVIRONMENT", Yaml::from("development")),
        ("SECRET_KEY", format!("${{SECRET_KEY:-{PUBLISHED_SECRET}}}").into()),
        ("DATABASE_URL", url(role, role).into()),
    ];
    if spec.tenancy.row_level_security {
        let maintenance = url(&maintenance_role(spec), role);
        environment.push(("MAINTENANCE_DATABASE_URL", maintenance.into()));
    }
    if spec.jobs.has_workers() {
        environment.push(("REDIS_URL", "redis://redis:6379/0".into()));
    }
    if spec.email.backend == EmailBackend::Smtp {
        environment.push(("SMTP_HOST", "mail".into()));
        environment.push(("SMTP_PORT", "1025".into()));
        environment.push(("SMTP_SECURITY", "none".into()));
    }
    if spec.storage.has_bucket() {
        environment.extend([
            ("S3_BUCKET", bucket_name(spec).into()),
            ("S3_ENDPOINT_URL", "http://store:9000".into()),
            ("S3_PUBLIC_ENDPOINT_URL", "http://localhost:9000".into()),
            ("S3_ACCESS_KEY_ID", STORE_USER.into()),
            ("S3_SECRET_ACCESS_KEY", STORE_PASSWORD.into()),
        ]);
    }
    environment
}

fn bucket_name(spec: &Spec) -> String {
    format!("{}-files", spec.project.name.replace('_', "-"))
}

fn store() -> Yaml {
    let user = [("MINIO_ROOT_USER", STORE_USER), ("MINIO_ROOT_PASSWORD", STORE_PASSWORD)];
    map([
        ("image", Yaml::from(STORE)),
        ("command", list(["server", "/data"])),
        ("environment", map(user)),
        ("ports", list(["127.0.0.1:9000:9000"])),
        ("volumes", list(["store:/data"])),
        ("healthcheck", health(&["mc", "ready", "local"])),
    ])
}

/// Makes the bucket, once.
fn bucket(spec: &Spec) -> Yaml {
    let address = format!("http://{STORE_USER}:{STORE_PASSWORD}@store:9000");
    let path = format!("store/{}", bucket_name(spec));
    map([
        ("image", Yaml::from(STORE_CLIENT)),
        ("command", list(["mb", "--ignore-existing", path.as_str()])),
        ("environment", map([("MC_HOST_store", address)])),
        ("depends_on", map([("store", condition("service_healthy"))])),
    ])
}

fn maintenance_role(spec: &Spec) -> String {
    format!("{}_maintenance", spec.project.identifier)
}

/// The superuser that the image makes is walked off by no policy: the product gets a role of its own.
fn roles(spec: &Spec) -> String {
    let role = spec.project.identifier.as_str();
    let login = |role: &str| format!("CREATE ROLE {} LOGIN PASSWORD '{role}'", identifier(role));
    let mut statements = vec![login(role)];
    if spec.tenancy.row_level_security {
        statements.push(format!("{} BYPASSRLS", login(&maintenance_role(spec))));
    }
    let role = identifier(role);
    statements.push(format!("CREATE DATABASE {role} OWNER {role}"));
    statements.iter().map(|statement| format!("{statement};\n")).collect()
}

fn database() -> Yaml {
    let roles = [("source", "roles"), ("target", "/docker-entrypoint-initdb.d/10-roles.sql")];
    map([
        ("image", Yaml::from(POSTGRESQL)),
        ("environment", map([("POSTGRES_PASSWORD", "postgres")])),
        ("configs", list([map(roles)])),
        ("volumes", list(["database:/var/lib/postgresql/data"])),
        ("healthcheck", health(&["pg_isready", "--host", "127.0.0.1", "--username", "postgres"])),
    ])
}

fn redis() -> Yaml {
    map([
        ("image", Yaml::from(REDIS)),
        ("command", list(["redis-server", "--save", "", "--maxmemory-policy", "noeviction"])),
        ("healthcheck", health(&["redis-cli", "ping"])),
    ])
}

/// Its page shows every mail that the product sends.
fn mail() -> Yaml {
    map([("image", Yaml::from(MAIL_CATCHER)), ("ports", list(["127.0.0.1:8025:8025"]))])
}

fn health(command: &[&str]) -> Yaml {
    let test = ["CMD"].iter().chain(command).copied();
    map([
        ("test", list(test)),
        ("interval", "2s".into()),
        ("timeout", "3s".into()),
        ("retries", 30.into()),
    ])
}
