//! What other programs are told.

use serde::Serialize;

/// Webhooks of organizations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Webhooks {
    /// Whether organizations can have what happens to their entities sent to addresses of theirs.
    pub enabled: bool,
}

impl Webhooks {
    /// Whether nobody is told anything.
    #[must_use]
    pub fn is_off(&self) -> bool {
        !self.enabled
    }
}
