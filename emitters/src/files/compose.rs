//! `compose.yaml`: the product on one machine, with everything that it talks to.

use super::yaml::{Yaml, list, map, print};
use crate::core::settings::PUBLISHED_SECRET;
use crate::migrations::sql::identifier;
use crate::spec::{EmailBackend, Spec};
use crate::{Content, Generated};

const POSTGRESQL: &str = "postgres:17-alpine";
const REDIS: &str = "redis:8-alpine";
const MAIL_CATCHER: &str = "axllent/mailpit:v1.27";

/// The file.
#[must_use]
pub fn emit(spec: &Spec) -> Generated {
    let document = map([
        ("name", Yaml::from(spec.project.name.as_str())),
        ("services", Yaml::Map(services(spec))),
        ("configs", map([("roles", map([("content", roles(spec))]))])),
        ("volumes", map([("database", map::<&str, Yaml>([]))])),
    ]);
    Generated { path: "compose.yaml".to_owned(), content: Content::Text(print(&document)) }
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
    services.push(("database".to_owned(), database()));
    services
}

fn migrate(spec: &Spec) -> Yaml {
    map([
        ("build", Yaml::from(".")),
        ("command", list(["alembic", "upgrade", "head"])),
        ("environment", environment(spec)),
        ("healthcheck", map([("disable", true)])),
        ("depends_on", map([("database", condition("service_healthy"))])),
    ])
}

fn api(spec: &Spec) -> Yaml {
    map([
        ("build", Yaml::from(".")),
        ("init", true.into()),
        ("environment", environment(spec)),
        ("ports", list(["127.0.0.1:8000:8000"])),
        ("restart", "unless-stopped".into()),
        ("depends_on", Yaml::Map(what_is_needed(spec))),
    ])
}

fn worker(spec: &Spec) -> Yaml {
    map([
        ("build", Yaml::from(".")),
        ("command", list(["python", "-m", "app.worker"])),
        ("init", true.into()),
        ("environment", environment(spec)),
        ("healthcheck", map([("disable", true)])),
        ("restart", "unless-stopped".into()),
        ("depends_on", Yaml::Map(what_is_needed(spec))),
    ])
}

fn what_is_needed(spec: &Spec) -> Vec<(String, Yaml)> {
    let migrate = ("migrate".to_owned(), condition("service_completed_successfully"));
    let redis = ("redis".to_owned(), condition("service_healthy"));
    [migrate].into_iter().chain(spec.jobs.has_workers().then_some(redis)).collect()
}

fn condition(condition: &str) -> Yaml {
    map([("condition", condition)])
}

/// What the server, the worker and the migrations have in common.
fn environment(spec: &Spec) -> Yaml {
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
    map(environment)
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
