//! How a running product is watched.

use serde::Serialize;

/// Metrics, logs and traces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Observability {
    /// Whether `/metrics` is served.
    pub metrics: bool,
    /// The log file that `LOG_FILE` can name; `None` writes to standard error only.
    pub log_file: Option<LogFile>,
    /// Whether requests and jobs are traced with OpenTelemetry.
    pub tracing: bool,
}

/// A log file that is rotated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogFile {
    /// The bytes at which a new file is begun.
    pub max_size: u64,
    /// The old files that are kept.
    pub backups: u16,
}
