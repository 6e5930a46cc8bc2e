//! `[auth]`.

use super::quantity::{Lifetime, days, hours, minutes};
use super::shape::{Choice, Whole};
use super::table::Table;
use crate::spec::{Auth, AuthMode, PasswordRules, Totp};

const MODES: &[(&str, AuthMode)] =
    &[("bearer", AuthMode::Bearer), ("cookie", AuthMode::Cookie), ("both", AuthMode::Both)];

const TOTP: &[(&str, Totp)] =
    &[("off", Totp::Off), ("optional", Totp::Optional), ("required", Totp::Required)];

/// Reads `[auth]`.
pub fn auth(table: &mut Table<'_>) -> Auth {
    Auth {
        mode: table.or(
            "mode",
            "How a client carries its session.",
            Choice(MODES),
            AuthMode::Bearer,
        ),
        access_token_lifetime: table.or(
            "access_token_lifetime",
            "How long an access token is good, 1m to 24h.",
            Lifetime(minutes(1)..=hours(24)),
            minutes(15),
        ),
        refresh_token_lifetime: table.or(
            "refresh_token_lifetime",
            "How long a session lives without use, 1h to 365d.",
            Lifetime(hours(1)..=days(365)),
            days(30),
        ),
        reset_token_lifetime: table.or(
            "reset_token_lifetime",
            "How long the link of a password mail is good, 5m to 24h.",
            Lifetime(minutes(5)..=hours(24)),
            hours(1),
        ),
        verification_token_lifetime: table.or(
            "verification_token_lifetime",
            "How long the link of a verification mail is good, 1h to 7d.",
            Lifetime(hours(1)..=days(7)),
            hours(24),
        ),
        password: table.section(
            "password",
            "[auth.password]",
            "What makes a good password.",
            password,
        ),
        totp: table.or("totp", "One-time codes as a second factor.", Choice(TOTP), Totp::Off),
    }
}

fn password(table: &mut Table<'_>) -> PasswordRules {
    PasswordRules {
        min_length: table.or("min_length", "The fewest characters.", Whole(8..=64), 12),
        max_length: table.or("max_length", "The most characters.", Whole(64..=1024), 128),
    }
}
