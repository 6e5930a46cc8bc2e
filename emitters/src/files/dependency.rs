//! What the backend depends on.

use crate::spec::{EmailBackend, Spec};

/// A package and the versions of it that will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependency {
    /// Its normalized name.
    pub name: &'static str,
    /// Its optional part.
    pub extra: Option<&'static str>,
    /// The first version that will do.
    pub from: &'static str,
    /// The first version after it that may not.
    pub below: &'static str,
}

/// What the running backend needs, by name.
#[must_use]
pub fn runtime(spec: &Spec) -> Vec<Dependency> {
    let mut dependencies = vec![
        dependency("aiosqlite", "0.22", "0.23"),
        dependency("alembic", "1.20", "2"),
        dependency("anyio", "4.16", "5"),
        dependency("asyncpg", "0.32", "0.33"),
        dependency("cryptography", "50", "51"),
        dependency("fastapi", "0.165", "0.166"),
        dependency("limits", "5.8", "6"),
        dependency("pwdlib", "0.3.1", "0.4").extra("argon2"),
        dependency("pydantic", "2.14", "3"),
        dependency("pydantic-settings", "2.16", "3"),
        dependency("pyjwt", "2.15", "3"),
        dependency("sqlalchemy", "2.1.9", "2.2").extra("asyncio"),
        dependency("starlette", "1.10", "2"),
        dependency("uvicorn", "0.54", "0.55").extra("standard"),
    ];
    if spec.auth.has_totp() {
        dependencies.push(dependency("pyotp", "2.12", "3"));
    }
    if spec.observability.metrics {
        dependencies.push(dependency("prometheus-client", "0.26", "0.27"));
    }
    if spec.observability.tracing {
        dependencies.push(dependency("opentelemetry-api", "1.45", "2"));
        dependencies.push(dependency("opentelemetry-exporter-otlp-proto-http", "1.45", "2"));
        dependencies.push(dependency("opentelemetry-sdk", "1.45", "2"));
    }
    if spec.jobs.has_workers() {
        dependencies.push(dependency("redis", "8.1", "9"));
        dependencies.push(dependency("rq", "3", "4"));
    }
    if spec.email.backend == EmailBackend::Smtp {
        dependencies.push(dependency("aiosmtplib", "5.1.3", "6"));
    }
    if spec.storage.has_bucket() {
        dependencies.push(dependency("boto3", "1.44.5", "2"));
    }
    if spec.billing.is_some() || spec.webhooks.enabled {
        dependencies.push(dependency("aiohttp", "3.14.5", "4"));
    }
    if spec.webhooks.enabled {
        dependencies.push(dependency("yarl", "1.20", "2"));
    }
    if spec.billing.is_some() {
        dependencies.push(dependency("stripe", "16.1", "17"));
    }
    dependencies.sort_by_key(|dependency| dependency.name);
    dependencies
}

/// What only working on the backend needs, by name.
#[must_use]
pub fn development(spec: &Spec) -> Vec<Dependency> {
    let mut dependencies = vec![
        dependency("bandit", "1.9", "2"),
        dependency("httpx2", "2.16", "3"),
        dependency("hypothesis", "6.170", "7"),
        dependency("mypy", "2.4", "3"),
        dependency("pyright", "1.1.414", "2"),
        dependency("pytest", "9.2", "10"),
        dependency("pytest-cov", "7.1", "8"),
        dependency("pytest-xdist", "3.8", "4"),
        dependency("ruff", "0.17.6", "0.18"),
        dependency("schemathesis", "4.32.5", "5"),
    ];
    if spec.email.backend == EmailBackend::Smtp {
        dependencies.push(dependency("aiosmtpd", "1.4.6", "2"));
    }
    if spec.observability.tracing {
        dependencies.push(dependency("opentelemetry-proto", "1.45", "2"));
        if spec.billing.is_none() && !spec.webhooks.enabled {
            dependencies.push(dependency("aiohttp", "3.14.5", "4"));
        }
    }
    if spec.storage.has_bucket() {
        // The server of moto; its extra `server` wants what every other service of AWS needs.
        dependencies.push(dependency("flask", "3.1", "4"));
        dependencies.push(dependency("flask-cors", "6", "7"));
        dependencies.push(dependency("moto", "5.2.5", "6").extra("s3"));
        dependencies.push(dependency("types-boto3", "1.43", "2").extra("s3"));
    }
    dependencies.sort_by_key(|dependency| dependency.name);
    dependencies
}

impl Dependency {
    /// The requirement of PEP 508: `pwdlib[argon2]>=0.3.1,<0.4`.
    #[must_use]
    pub fn requirement(&self) -> String {
        let Dependency { name, extra, from, below } = self;
        let extra = extra.map(|extra| format!("[{extra}]")).unwrap_or_default();
        format!("{name}{extra}>={from},<{below}")
    }

    const fn extra(self, extra: &'static str) -> Dependency {
        Dependency { extra: Some(extra), ..self }
    }
}

const fn dependency(name: &'static str, from: &'static str, below: &'static str) -> Dependency {
    Dependency { name, extra: None, from, below }
}
