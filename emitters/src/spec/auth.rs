//! How people prove who they are.

use serde::Serialize;
use std::time::Duration;

/// Accounts, sessions and passwords.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Auth {
    /// How a client carries its session.
    pub mode: AuthMode,
    /// How long an access token is good.
    pub access_token_lifetime: Duration,
    /// How long a session lives without use.
    pub refresh_token_lifetime: Duration,
    /// How long the link of a password mail is good.
    pub reset_token_lifetime: Duration,
    /// How long the link of a verification mail is good.
    pub verification_token_lifetime: Duration,
    /// What makes a good password.
    pub password: PasswordRules,
    /// Whether people may protect their account with one-time codes.
    pub totp: Totp,
}

impl Auth {
    /// Whether a session can be in cookies.
    #[must_use]
    pub fn has_cookies(&self) -> bool {
        self.mode != AuthMode::Bearer
    }

    /// Whether a session can be in tokens that its client keeps.
    #[must_use]
    pub fn has_tokens(&self) -> bool {
        self.mode != AuthMode::Cookie
    }

    /// Whether accounts can have one-time codes.
    #[must_use]
    pub fn has_totp(&self) -> bool {
        self.totp != Totp::Off
    }
}

/// How a client carries its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum AuthMode {
    /// `Authorization: Bearer …`.
    Bearer,
    /// A cookie, with protection against forged requests.
    Cookie,
    /// Either of them.
    Both,
}

/// What makes a good password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PasswordRules {
    /// The fewest characters.
    pub min_length: u16,
    /// The most characters: hashing a long text costs time.
    pub max_length: u16,
}

/// One-time codes as a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Totp {
    /// There are none.
    Off,
    /// An account may have them.
    Optional,
    /// Every account must have them.
    Required,
}
