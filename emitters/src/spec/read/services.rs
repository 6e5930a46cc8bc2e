//! `[tenancy]`, `[storage]`, `[email]`, `[jobs]`, `[webhooks]`, `[observability]` and `[deploy]`.

use super::address::EmailAddress;
use super::quantity::Size;
use super::shape::{Boolean, Choice, List, Whole};
use super::table::Table;
use crate::spec::error::{Problem, SpecError};
use crate::spec::{
    Deploy, DeployTarget, Email, EmailBackend, Jobs, JobsBackend, LogFile, MetricsAccess,
    Observability, Storage, StorageBackend, Tenancy, Webhooks,
};

const STORAGE: &[(&str, StorageBackend)] =
    &[("off", StorageBackend::Off), ("local", StorageBackend::Local), ("s3", StorageBackend::S3)];
const EMAIL: &[(&str, EmailBackend)] =
    &[("console", EmailBackend::Console), ("smtp", EmailBackend::Smtp)];
const JOBS: &[(&str, JobsBackend)] = &[("inline", JobsBackend::Inline), ("rq", JobsBackend::Rq)];
const TARGETS: &[(&str, DeployTarget)] =
    &[("fly", DeployTarget::Fly), ("render", DeployTarget::Render)];

const METRICS_ACCESS: &[(&str, MetricsAccess)] = &[
    ("token", MetricsAccess::Token),
    ("port", MetricsAccess::Port),
    ("open", MetricsAccess::Open),
];

/// The greatest file that can be allowed.
pub const MAX_FILE_SIZE: u64 = 5_000_000_000;

/// Reads `[tenancy]`.
pub fn tenancy(table: &mut Table<'_>) -> Tenancy {
    Tenancy {
        row_level_security: table.or(
            "row_level_security",
            "Whether PostgreSQL itself refuses rows of another organization.",
            Boolean,
            true,
        ),
    }
}

/// Reads `[storage]`.
pub fn storage(table: &mut Table<'_>) -> Storage {
    let backend =
        table.or("backend", "Where files are kept.", Choice(STORAGE), StorageBackend::Off);
    let about = "The greatest file, up to 5GB. By default 25MB.";
    let max_file_size = table.optional("max_file_size", about, Size(MAX_FILE_SIZE));
    if let (StorageBackend::Off, Some(size)) = (backend, &max_file_size) {
        let sentence = "no files are kept: `backend` is `off`".to_owned();
        let error = SpecError::new(size.place.clone(), Problem::Inconsistent(sentence));
        table.report(error.help("write `backend = \"local\"` or `\"s3\"` too, or leave it out"));
    }
    Storage { backend, max_file_size: max_file_size.map_or(25_000_000, |size| size.value) }
}

/// Reads `[email]`.
pub fn email(table: &mut Table<'_>) -> Email {
    let backend =
        table.or("backend", "What takes the mails.", Choice(EMAIL), EmailBackend::Console);
    let sender = table.optional("sender", "The address that mails come from.", EmailAddress);
    Email { backend, sender: sender.map(|sender| sender.value) }
}

/// Reads `[jobs]`.
pub fn jobs(table: &mut Table<'_>) -> Jobs {
    Jobs { backend: table.or("backend", "What runs the jobs.", Choice(JOBS), JobsBackend::Inline) }
}

/// Reads `[webhooks]`.
pub fn webhooks(table: &mut Table<'_>) -> Webhooks {
    let about = "Whether organizations can have what happens to their entities sent to them.";
    Webhooks { enabled: table.or("enabled", about, Boolean, false) }
}

/// Reads `[observability]`.
pub fn observability(table: &mut Table<'_>) -> Observability {
    let metrics = table.or("metrics", "Whether `/metrics` is served.", Boolean, true);
    Observability {
        metrics,
        metrics_access: metrics_access(table, metrics),
        log_file: table.section(
            "log_file",
            "[observability.log_file]",
            "A log file that is rotated.",
            log_file,
        ),
        tracing: table.or(
            "tracing",
            "Whether requests and jobs are traced with OpenTelemetry.",
            Boolean,
            false,
        ),
    }
}

fn metrics_access(table: &mut Table<'_>, metrics: bool) -> MetricsAccess {
    let about = "What keeps strangers from the metrics: a token, a port of their own, or nothing. By default a token.";
    let access = table.optional("metrics_access", about, Choice(METRICS_ACCESS));
    if let (false, Some(access)) = (metrics, &access) {
        let sentence = "there are no metrics: `metrics` is `false`".to_owned();
        let error = SpecError::new(access.place.clone(), Problem::Inconsistent(sentence));
        table.report(error.help("leave it out, or write `metrics = true`"));
    }
    access.map_or(MetricsAccess::Token, |access| access.value)
}

fn log_file(table: &mut Table<'_>) -> Option<LogFile> {
    let enabled = table.or("enabled", "Whether `LOG_FILE` can name one.", Boolean, false);
    let max_size = table.or(
        "max_size",
        "The size at which a new file is begun, up to 1GB.",
        Size(1_000_000_000),
        10_000_000,
    );
    let backups = table.or("backups", "The old files that are kept.", Whole(1..=100), 5);
    enabled.then_some(LogFile { max_size, backups })
}

/// Reads `[deploy]`.
pub fn deploy(table: &mut Table<'_>) -> Deploy {
    let targets = table.optional(
        "targets",
        "The platforms that get their manifests. By default none.",
        List(Choice(TARGETS), 0..=2),
    );
    let mut deploy = Deploy { targets: Vec::new() };
    for target in targets.into_iter().flat_map(|targets| targets.value) {
        if !deploy.targets.contains(&target.value) {
            deploy.targets.push(target.value);
        }
    }
    deploy
}
