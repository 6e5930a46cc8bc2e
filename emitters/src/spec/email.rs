//! How mail leaves.

use serde::Serialize;

/// Outgoing mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Email {
    /// What takes the mails in production.
    pub backend: EmailBackend,
    /// The address that mails come from; `None` leaves it to the settings.
    pub sender: Option<String>,
}

/// What takes the mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum EmailBackend {
    /// The log.
    Console,
    /// An SMTP server.
    Smtp,
}
