//! Where work runs that no request waits for.

use serde::Serialize;

/// Background jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Jobs {
    /// What runs them.
    pub backend: JobsBackend,
}

impl Jobs {
    /// Whether jobs can wait in Redis for workers.
    #[must_use]
    pub fn has_workers(&self) -> bool {
        self.backend == JobsBackend::Rq
    }
}

/// What runs jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum JobsBackend {
    /// The server's own process.
    Inline,
    /// RQ workers behind Redis.
    Rq,
}
