//! How a running product is watched.

use serde::Serialize;

/// Metrics, logs and traces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Observability {
    /// Whether `/metrics` is served.
    pub metrics: bool,
    /// Who may read it.
    pub metrics_access: MetricsAccess,
    /// The log file that `LOG_FILE` can name; `None` writes to standard error only.
    pub log_file: Option<LogFile>,
    /// Whether requests and jobs are traced with OpenTelemetry.
    pub tracing: bool,
}

/// Who may read the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum MetricsAccess {
    /// Who has the token.
    Token,
    /// Who reaches a port of their own.
    Port,
    /// Everybody.
    Open,
}

impl Observability {
    /// Whether `/metrics` is at the port of the application.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.metrics && self.metrics_access != MetricsAccess::Port
    }

    /// Whether the metrics ask for a token.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.metrics && self.metrics_access == MetricsAccess::Token
    }

    /// Whether the metrics have a port of their own.
    #[must_use]
    pub fn has_port(&self) -> bool {
        self.metrics && self.metrics_access == MetricsAccess::Port
    }
}

/// A log file that is rotated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogFile {
    /// The bytes at which a new file is begun.
    pub max_size: u64,
    /// The old files that are kept.
    pub backups: u16,
}
