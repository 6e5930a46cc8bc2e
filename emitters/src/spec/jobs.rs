//! Where work runs that no request waits for.

use serde::Serialize;

/// Background jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jobs {
    /// What runs them.
    pub backend: JobsBackend,
}

/// What runs jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum JobsBackend {
    /// The server's own process.
    Inline,
    /// RQ workers behind Redis.
    Rq,
}
