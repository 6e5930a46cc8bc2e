//! The settings: one table, from which the class, `.env.example` and the README are made.

use super::{Environment, SmtpSecurity, generated_secret};
use crate::core::plans::{has_prices, limits_storage};
use crate::python::builtins::{bool, int, list, str};
use crate::python::pydantic::{NoDecode, SecretStr};
use crate::python::standard::{Annotated, IPv4Network, IPv6Network};
use crate::spec::{EmailBackend, LogFile, Spec};
use astgen_pyast::prelude::*;
use std::time::Duration;

/// How long a session stays fresh, unless the environment says otherwise.
const FRESH_SESSION: Duration = Duration::from_secs(600);

/// The port of the metrics, where they have one.
pub const METRICS_PORT: u16 = 9464;

/// The port of the metrics of a worker, where it serves them.
pub const WORKER_METRICS_PORT: u16 = 9465;

/// A setting. Its environment variable is its name in upper case.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The attribute of `Settings`.
    pub name: Name,
    /// Its type.
    pub annotation: Expr,
    /// The value where the environment names none.
    pub default: DefaultValue,
    /// What a value has to be: arguments of `Field`.
    pub bounds: Vec<Arg>,
    /// One sentence.
    pub description: &'static str,
    /// Who gives a deployment its value.
    pub given: Given,
}

/// Who gives a deployment the value of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// Whoever deploys, and nobody else knows it.
    Asked,
    /// A generator of secrets.
    Made,
    /// The platform, which runs what the setting names.
    Connected,
    /// Whoever deploys, where the default will not do.
    Tuned,
    /// The image and the manifests, which know what they are made of.
    Fixed,
    /// Nobody: the default is the only good value but in development.
    Development,
}

/// The value of a setting that the environment does not name.
#[derive(Debug, Clone, PartialEq)]
pub enum DefaultValue {
    /// Development.
    Environment,
    /// A member of an enum, and its value.
    Member(Expr, &'static str),
    /// A text.
    Text(String),
    /// A whole number.
    Number(u64),
    /// Yes or no.
    Switch(bool),
    /// Some texts; an environment variable has commas between them.
    Texts(Vec<String>),
    /// What a function makes.
    Made(Expr),
    /// `None`.
    Missing,
}

/// Every setting, in the order of the class.
#[must_use]
pub fn fields(spec: &Spec) -> Vec<Setting> {
    let mut settings: Vec<Setting> = general(spec).into();
    settings.extend(spec.tenancy.row_level_security.then(maintenance_database_url));
    settings.extend(lifetimes(spec));
    settings.extend(costs());
    settings.extend(network());
    settings.extend(reach());
    settings.push(health_token());
    settings.extend(mail(spec));
    settings
        .extend((spec.email.backend == EmailBackend::Smtp).then(mail_server).into_iter().flatten());
    settings.extend(spec.jobs.has_workers().then(redis));
    settings.extend([job_polling(), drain()]);
    settings.extend(spec.has_soft_delete().then(deleted_rows));
    settings.extend(spec.storage.is_on().then(storage).into_iter().flatten());
    settings.extend(has_own_quota(spec).then(storage_quota));
    settings.extend(spec.storage.has_bucket().then(bucket).into_iter().flatten());
    settings.extend(spec.webhooks.enabled.then(webhook_private_addresses));
    settings.extend(spec.billing.iter().flat_map(|_| stripe()));
    settings.extend(
        spec.billing.as_ref().filter(|billing| has_prices(billing)).map(|_| return_origins()),
    );
    settings.extend(spec.observability.has_token().then(metrics_token));
    settings.extend(spec.observability.has_port().then(metrics_port).into_iter().flatten());
    let works_apart = spec.observability.metrics && spec.jobs.has_workers();
    settings.extend(works_apart.then(worker_metrics).into_iter().flatten());
    settings.extend(spec.observability.tracing.then(|| tracing(spec)).into_iter().flatten());
    settings.extend([access_log(), log_level()]);
    settings.extend(spec.observability.log_file.iter().flat_map(log_file));
    settings
}

impl Setting {
    fn given(self, given: Given) -> Self {
        Self { given, ..self }
    }

    /// Whether it is a list, which an environment variable has with commas.
    #[must_use]
    pub fn is_list(&self) -> bool {
        let lists = [list_of(py!(SecretStr)), list_of(network_type())];
        matches!(self.default, DefaultValue::Texts(_)) || lists.contains(&self.annotation)
    }

    /// The environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        self.name.as_str().to_ascii_uppercase()
    }
}

impl DefaultValue {
    /// The default as an environment variable would have it; `None` where there is none to write.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            DefaultValue::Environment => Some("development".to_owned()),
            DefaultValue::Member(_, value) => Some((*value).to_owned()),
            DefaultValue::Text(text) => Some(text.clone()),
            DefaultValue::Number(number) => Some(number.to_string()),
            DefaultValue::Switch(is_on) => Some(is_on.to_string()),
            DefaultValue::Texts(texts) => Some(texts.join(",")),
            DefaultValue::Made(_) | DefaultValue::Missing => None,
        }
    }
}

fn general(spec: &Spec) -> [Setting; 6] {
    names!(environment, secret_key, previous_secret_keys);
    names!(database_url, migration_database_url, database_pool_size);
    let file = format!("sqlite+aiosqlite:///./{}.db", spec.project.identifier);
    [
        setting(
            environment,
            Environment,
            DefaultValue::Environment,
            "development, test or production.",
        )
        .given(Given::Fixed),
        setting(
            secret_key,
            SecretStr,
            DefaultValue::Made(generated_secret.into_expr()),
            "Signs every token; production needs its own, 32 bytes or more.",
        )
        .given(Given::Made),
        secrets(
            previous_secret_keys,
            "Earlier values of SECRET_KEY, comma-separated; they sign nothing.",
        ),
        setting(
            database_url,
            str,
            DefaultValue::Text(file),
            "The database, as the role that serves requests.",
        )
        .given(Given::Connected),
        setting(
            migration_database_url,
            py!(str | None),
            DefaultValue::Missing,
            "The same database as the role that owns the tables.",
        ),
        number(database_pool_size, 10, 1, "Connections to PostgreSQL that one process keeps open."),
    ]
}

fn webhook_private_addresses() -> Setting {
    names!(webhook_private_addresses);
    setting(
        webhook_private_addresses,
        bool,
        DefaultValue::Switch(false),
        "Whether webhooks may go into private networks: for development.",
    )
    .given(Given::Development)
}

fn maintenance_database_url() -> Setting {
    names!(maintenance_database_url);
    setting(
        maintenance_database_url,
        py!(str | None),
        DefaultValue::Missing,
        "The same as a role with BYPASSRLS, for work across tenants.",
    )
}

fn lifetimes(spec: &Spec) -> [Setting; 6] {
    names!(access_token_seconds, session_seconds, fresh_session_seconds);
    names!(reset_token_seconds, verification_token_seconds, invitation_seconds);
    let lifetime =
        |name, lifetime: Duration, description| number(name, lifetime.as_secs(), 60, description);
    [
        lifetime(
            access_token_seconds,
            spec.auth.access_token_lifetime,
            "How long an access token is valid.",
        ),
        lifetime(
            session_seconds,
            spec.auth.refresh_token_lifetime,
            "How long a session lives without use.",
        ),
        lifetime(
            fresh_session_seconds,
            FRESH_SESSION,
            "How long after a sign-in dangerous acts need no password.",
        ),
        lifetime(
            reset_token_seconds,
            spec.auth.reset_token_lifetime,
            "How long the link in a reset mail is valid.",
        ),
        lifetime(
            verification_token_seconds,
            spec.auth.verification_token_lifetime,
            "How long the link in a verification mail is valid.",
        ),
        lifetime(
            invitation_seconds,
            spec.organizations.invitation_lifetime,
            "How long an invitation can be accepted.",
        ),
    ]
}

fn costs() -> [Setting; 4] {
    names!(password_time_cost, password_memory_kib, password_workers, max_body_bytes);
    [
        number(password_time_cost, 2, 1, "Argon2id: passes over the memory."),
        number(password_memory_kib, 19_456, 8, "Argon2id: memory for one hash."),
        number(password_workers, 2, 1, "Passwords that are hashed at the same time."),
        number(max_body_bytes, 1_048_576, 1_024, "The largest request body that is read."),
    ]
}

/// `IPv4Network | IPv6Network`
fn network_type() -> Expr {
    py!(IPv4Network | IPv6Network)
}

fn network() -> [Setting; 2] {
    names!(rate_limiting, trusted_proxies);
    [
        setting(
            rate_limiting,
            bool,
            DefaultValue::Switch(true),
            "Count what is tried; off, anybody may guess on and on.",
        ),
        setting(
            trusted_proxies,
            list_of(network_type()),
            DefaultValue::Made(py!(list[{ network_type() }])),
            "Networks of proxies to believe, comma-separated: X-Forwarded-For.",
        )
        .given(Given::Fixed),
    ]
}

fn reach() -> [Setting; 2] {
    names!(allowed_hosts, cors_origins);
    [
        setting(
            allowed_hosts,
            list_of(py!(str)),
            DefaultValue::Texts(vec!["*".to_owned()]),
            "Our host names, comma-separated; *.example.com is all below it.",
        )
        .given(Given::Asked),
        setting(
            cors_origins,
            list_of(py!(str)),
            DefaultValue::Texts(Vec::new()),
            "More origins than FRONTEND_URL's that may call, comma-separated.",
        ),
    ]
}

fn stripe() -> [Setting; 4] {
    names!(stripe_secret_key, stripe_api_base, stripe_webhook_secrets, billing_worker);
    [
        setting(
            stripe_secret_key,
            py!(SecretStr | None),
            DefaultValue::Missing,
            "The key to ask Stripe with; without it there are events only.",
        )
        .given(Given::Asked),
        setting(
            stripe_api_base,
            str,
            DefaultValue::Text("https://api.stripe.com".to_owned()),
            "Where Stripe answers.",
        )
        .given(Given::Development),
        secrets(
            stripe_webhook_secrets,
            "Signing secrets, comma-separated; with none the webhook is off.",
        )
        .given(Given::Asked),
        setting(
            billing_worker,
            bool,
            DefaultValue::Switch(true),
            "Process the events of Stripe in this process.",
        ),
    ]
}

fn return_origins() -> Setting {
    names!(billing_return_origins);
    setting(
        billing_return_origins,
        list_of(py!(str)),
        DefaultValue::Texts(Vec::new()),
        "More origins than FRONTEND_URL's for Stripe to lead back to.",
    )
}

/// A list that pydantic-settings is not to read as JSON.
fn list_of(item: Expr) -> Expr {
    py!(Annotated[(list[item], NoDecode)])
}

fn mail(spec: &Spec) -> [Setting; 2] {
    names!(frontend_url, email_sender);
    let sender = spec.email.sender.as_deref().unwrap_or("no-reply@localhost");
    let matching = |pattern| vec![kw("pattern", pattern)];
    [
        Setting {
            bounds: matching("^https?://[^/?#]+(/[^?#]*[^/?#])?$"),
            ..setting(
                frontend_url,
                str,
                DefaultValue::Text("http://localhost:3000".to_owned()),
                "Where the links in mails lead.",
            )
            .given(Given::Asked)
        },
        Setting {
            bounds: matching("^[^@\\s]+@[^@\\s]+$"),
            ..setting(
                email_sender,
                str,
                DefaultValue::Text(sender.to_owned()),
                "The address that mails come from.",
            )
            .given(Given::Asked)
        },
    ]
}

fn mail_server() -> [Setting; 6] {
    names!(smtp_host, smtp_port, smtp_security, smtp_username, smtp_password, smtp_timeout_seconds);
    [
        setting(
            smtp_host,
            py!(str | None),
            DefaultValue::Missing,
            "The mail server; with none, mails go to the log.",
        )
        .given(Given::Asked),
        number(smtp_port, 587, 1, "The port of the mail server."),
        setting(
            smtp_security,
            SmtpSecurity,
            DefaultValue::Member(py!(SmtpSecurity.STARTTLS), "starttls"),
            "starttls, tls or none.",
        ),
        setting(
            smtp_username,
            py!(str | None),
            DefaultValue::Missing,
            "The account at the mail server, if it wants one.",
        )
        .given(Given::Asked),
        setting(
            smtp_password,
            py!(SecretStr | None),
            DefaultValue::Missing,
            "The password of that account.",
        )
        .given(Given::Asked),
        number(smtp_timeout_seconds, 15, 1, "How long the mail server may take to answer."),
    ]
}

fn redis() -> Setting {
    names!(redis_url);
    setting(
        redis_url,
        py!(SecretStr | None),
        DefaultValue::Missing,
        "Where jobs wait for a worker; with none, the server runs them.",
    )
    .given(Given::Connected)
}

fn drain() -> Setting {
    names!(drain_seconds);
    let description = "How long the server still serves once it says that it stops.";
    number(drain_seconds, 0, 0, description).given(Given::Fixed)
}

fn deleted_rows() -> Setting {
    names!(deleted_row_days);
    number(deleted_row_days, 30, 1, "How long what was deleted can be restored.")
}

fn job_polling() -> Setting {
    names!(job_poll_seconds);
    number(job_poll_seconds, 5, 0, "How often to look for jobs that are due; 0 is never.")
}

fn storage() -> [Setting; 2] {
    names!(public_url, storage_folder);
    [
        Setting {
            bounds: vec![kw("pattern", "^https?://[^/?#]+(/[^?#]*[^/?#])?$")],
            ..setting(
                public_url,
                py!(str | None),
                DefaultValue::Missing,
                "Where clients reach this server, for the addresses of files.",
            )
        },
        setting(
            storage_folder,
            str,
            DefaultValue::Text("./files".to_owned()),
            "The folder that files are kept in, unless a bucket keeps them.",
        )
        .given(Given::Fixed),
    ]
}

/// Whether no plan says how much an organization may keep in files.
#[must_use]
pub fn has_own_quota(spec: &Spec) -> bool {
    spec.storage.is_on() && !spec.billing.as_ref().is_some_and(limits_storage)
}

fn storage_quota() -> Setting {
    names!(storage_quota_megabytes);
    number(storage_quota_megabytes, 1_000, 1, "What an organization may keep in files.")
}

fn bucket() -> [Setting; 7] {
    names!(s3_bucket, s3_endpoint_url, s3_public_endpoint_url, s3_region, s3_access_key_id);
    names!(s3_secret_access_key, s3_timeout_seconds);
    let missing =
        |name, description| setting(name, py!(str | None), DefaultValue::Missing, description);
    [
        missing(s3_bucket, "Our own bucket for files; with none, the server keeps them.")
            .given(Given::Asked),
        missing(s3_endpoint_url, "Where the store answers, if it is not that of AWS."),
        missing(s3_public_endpoint_url, "Where clients reach the store, if it is elsewhere."),
        setting(
            s3_region,
            str,
            DefaultValue::Text("us-east-1".to_owned()),
            "The region of the bucket.",
        )
        .given(Given::Asked),
        missing(s3_access_key_id, "The key to the bucket; with none, boto3 looks for it.")
            .given(Given::Asked),
        setting(
            s3_secret_access_key,
            py!(SecretStr | None),
            DefaultValue::Missing,
            "The secret of that key.",
        )
        .given(Given::Asked),
        number(s3_timeout_seconds, 10, 1, "How long the store may take to answer."),
    ]
}

fn secrets(name: Name, description: &'static str) -> Setting {
    let made = DefaultValue::Made(py!(list[SecretStr]));
    setting(name, list_of(py!(SecretStr)), made, description)
}

fn health_token() -> Setting {
    names!(health_token);
    setting(
        health_token,
        py!(SecretStr | None),
        DefaultValue::Missing,
        "The bearer token for details of /health; production hides them.",
    )
    .given(Given::Made)
}

fn metrics_token() -> Setting {
    names!(metrics_token);
    setting(
        metrics_token,
        py!(SecretStr | None),
        DefaultValue::Missing,
        "The bearer token that /metrics asks for, if any.",
    )
    .given(Given::Made)
}

/// Where the metrics are: on this machine only, unless the network is one of ours, as in a container.
fn metrics_port() -> [Setting; 2] {
    names!(metrics_host, metrics_port);
    [
        setting(
            metrics_host,
            str,
            DefaultValue::Text("127.0.0.1".to_owned()),
            "The address at which the metrics are served.",
        )
        .given(Given::Fixed),
        number(metrics_port, METRICS_PORT.into(), 1, "The port at which the metrics are served.")
            .given(Given::Fixed),
    ]
}

/// Whoever reaches the port reads the metrics: it is for a network of ours.
fn worker_metrics() -> [Setting; 2] {
    names!(worker_metrics_host, worker_metrics_port);
    let port = setting(
        worker_metrics_port,
        py!(int | None),
        DefaultValue::Missing,
        "The port of the metrics of a worker; with none, it serves none.",
    );
    [
        setting(
            worker_metrics_host,
            str,
            DefaultValue::Text("127.0.0.1".to_owned()),
            "The address at which a worker serves its metrics.",
        )
        .given(Given::Fixed),
        Setting { bounds: vec![kw("ge", 1)], ..port },
    ]
}

fn tracing(spec: &Spec) -> [Setting; 3] {
    names!(otel_service_name, otel_exporter_otlp_endpoint, otel_exporter_otlp_traces_endpoint);
    let service = DefaultValue::Text(spec.project.name.clone());
    let missing =
        |name, description| setting(name, py!(str | None), DefaultValue::Missing, description);
    [
        missing(
            otel_exporter_otlp_endpoint,
            "The collector of traces; with none, nothing is traced.",
        ),
        missing(
            otel_exporter_otlp_traces_endpoint,
            "The whole address for traces, if it is not /v1/traces there.",
        ),
        setting(otel_service_name, str, service, "What traces call this application."),
    ]
}

fn log_file(rules: &LogFile) -> [Setting; 3] {
    names!(log_file, log_file_bytes, log_file_backups);
    [
        setting(
            log_file,
            py!(str | None),
            DefaultValue::Missing,
            "Where records are written too; with none, to standard error only.",
        ),
        number(log_file_bytes, rules.max_size, 1, "The size at which a new log file is begun."),
        number(log_file_backups, rules.backups.into(), 1, "The old log files that are kept."),
    ]
}

fn access_log() -> Setting {
    names!(access_log);
    let description = "Whether each request is logged, by the template of its route.";
    setting(access_log, bool, DefaultValue::Switch(true), description)
}

fn log_level() -> Setting {
    names!(log_level);
    let default = DefaultValue::Text("INFO".to_owned());
    let description = "The least severe records that are logged.";
    let bounds = vec![kw("pattern", "^(DEBUG|INFO|WARNING|ERROR)$")];
    Setting { bounds, ..setting(log_level, str, default, description) }
}

fn setting(
    name: Name,
    annotation: impl IntoExpr,
    default: DefaultValue,
    description: &'static str,
) -> Setting {
    let (annotation, bounds, given) = (annotation.into_expr(), Vec::new(), Given::Tuned);
    Setting { name, annotation, default, bounds, description, given }
}

fn number(name: Name, default: u64, minimum: u64, description: &'static str) -> Setting {
    let bounds = vec![kw("ge", minimum)];
    Setting { bounds, ..setting(name, int, DefaultValue::Number(default), description) }
}
