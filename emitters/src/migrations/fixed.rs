//! The tables that every project has.

use super::backfill::Backfill;
use super::columns::{ColumnKind, EMAIL_LENGTH, choice, moment, text, uuid};
use super::foreign_key::ForeignKey;
use super::table::{Table, entries, table};
use crate::core::billing::has_overrides;
use crate::core::plans::has_flags;
use crate::models::webhook::URL_LENGTH;
use crate::spec::database::TENANT;
use crate::spec::{Billing, Payer, Spec};
use astgen_pyast::prelude::*;

/// The tables and the functions that create them, such that a table comes after those it points at.
#[must_use]
pub fn fixed_tables(spec: &Spec) -> Vec<(Name, Table)> {
    names!(create_users, create_organizations, create_memberships, create_invitations);
    names!(create_sessions, create_refresh_tokens, create_billing_events);
    names!(create_overrides, create_feature_flags, create_trial_redemptions);
    names!(
        create_audit_events,
        create_idempotency_keys,
        create_jobs,
        create_emails,
        create_email_suppressions
    );
    let mut tables = vec![
        (create_users, users(spec)),
        (create_organizations, organizations(spec)),
        (create_sessions, sessions()),
        (create_refresh_tokens, refresh_tokens()),
        (create_memberships, memberships(spec)),
        (create_invitations, invitations(spec)),
        (create_audit_events, audit_events(spec)),
        (create_jobs, jobs(spec)),
        (create_emails, emails(spec)),
        (create_email_suppressions, email_suppressions()),
    ];
    names!(create_api_keys);
    tables.extend(spec.organizations.api_keys.then(|| (create_api_keys, api_keys())));
    names!(create_files);
    tables.extend(spec.storage.is_on().then(|| (create_files, files(spec))));
    names!(create_webhook_endpoints, create_webhook_deliveries);
    if spec.webhooks.enabled {
        tables.push((create_webhook_endpoints, webhook_endpoints(spec)));
        tables.push((create_webhook_deliveries, webhook_deliveries(spec)));
    }
    names!(create_totp_factors, create_backup_codes, create_login_challenges);
    tables.extend(
        spec.auth
            .has_totp()
            .then(|| {
                [
                    (create_totp_factors, totp_factors()),
                    (create_backup_codes, backup_codes()),
                    (create_login_challenges, login_challenges()),
                ]
            })
            .into_iter()
            .flatten(),
    );
    tables.push((create_idempotency_keys, idempotency_keys()));
    let Some(billing) = &spec.billing else { return tables };
    tables.push((create_billing_events, billing_events(spec)));
    tables.extend(has_overrides(billing).then(|| (create_overrides, overrides(spec, billing))));
    tables.extend(billing.trial.map(|_| (create_trial_redemptions, trial_redemptions(billing))));
    tables.extend(has_flags(billing).then(|| (create_feature_flags, feature_flags())));
    tables
}

fn users(spec: &Spec) -> Table {
    let users = table(name("users"))
        .column("email", text(EMAIL_LENGTH))
        .column("password_hash", text(255))
        .column("role", choice(spec))
        .column("is_active", ColumnKind::Boolean)
        .optional_column("email_verified_at", moment());
    let users = match spec.auth.has_totp() {
        true => users.optional_column("totp_enabled_at", moment()),
        false => users,
    };
    let users = users.optional_column("deleted_at", moment());
    with_subscription(users, spec, Payer::User).unique(&["email"])
}

fn totp_factors() -> Table {
    table(name("totp_factors"))
        .owner("user_id", "users")
        .column("sealed_secret", ColumnKind::Text)
        .optional_column("last_step", ColumnKind::BigInteger)
        .column("failures", ColumnKind::Integer)
        .optional_column("locked_until", moment())
        .unique(&["user_id"])
}

fn backup_codes() -> Table {
    table(name("backup_codes"))
        .owner("user_id", "users")
        .column("code_hash", text(64))
        .unique(&["code_hash"])
        .index(&["user_id"])
}

fn login_challenges() -> Table {
    table(name("login_challenges"))
        .owner("user_id", "users")
        .column("token_hash", text(64))
        .column("attempts", ColumnKind::Integer)
        .column("expires_at", moment())
        .unique(&["token_hash"])
        .index(&["user_id"])
}

fn sessions() -> Table {
    table(name("sessions"))
        .owner("user_id", "users")
        .column("expires_at", moment())
        .column("authenticated_at", moment())
        .column("used_at", moment())
        .pointer("active_organization_id", "organizations")
        .column("ip_address", text(45))
        .column("user_agent", text(255))
        .index(&["active_organization_id"])
        .index(&["user_id", "created_at", "id"])
}

fn refresh_tokens() -> Table {
    table(name("refresh_tokens"))
        .owner("session_id", "sessions")
        .column("token_hash", text(64))
        .optional_column("rotated_at", moment())
        .unique(&["token_hash"])
        .index(&["session_id"])
}

fn organizations(spec: &Spec) -> Table {
    let organizations = table(name("organizations")).column("name", text(120));
    with_subscription(organizations, spec, Payer::Organization)
}

/// The table with the columns of a subscription, if it is the one of who pays.
fn with_subscription(payers: Table, spec: &Spec, payer: Payer) -> Table {
    match spec.billing.as_ref().filter(|billing| billing.payer == payer) {
        None => payers,
        Some(billing) => with_seats(with_plan(payers, spec, billing), billing)
            .optional_column("stripe_customer_id", text(255))
            .optional_column("stripe_subscription_id", text(255))
            .optional_column("checkout_id", text(255))
            .optional_column("subscription_renews_at", moment())
            .optional_column("subscription_ends_at", moment())
            .optional_column("subscription_event_at", moment())
            .column("subscription_version", ColumnKind::Integer)
            .backfilled(Backfill::Number("0".to_owned()))
            .optional_column("past_due_since", moment())
            .column("price_is_unknown", ColumnKind::Boolean)
            .backfilled(Backfill::Boolean(false))
            .unique(&["stripe_customer_id"])
            .unique(&["stripe_subscription_id"]),
    }
}

fn with_plan(payers: Table, spec: &Spec, billing: &Billing) -> Table {
    payers
        .column("plan", choice(spec))
        .backfilled(Backfill::text(billing.free_plan().name))
        .column("subscription_status", choice(spec))
        .backfilled(Backfill::text("none"))
        .optional_column("trial_ends_at", moment())
}

fn with_seats(payers: Table, billing: &Billing) -> Table {
    let payers = with_reminder(payers, billing);
    if !billing.has_seats() {
        return payers;
    }
    let column = payers.column("paid_seats", ColumnKind::Integer);
    column.backfilled(Backfill::Number("0".to_owned()))
}

fn with_reminder(payers: Table, billing: &Billing) -> Table {
    match billing.own_trial() {
        Some(_) => payers.optional_column("trial_reminded_at", moment()),
        None => payers,
    }
}

fn memberships(spec: &Spec) -> Table {
    table(name("memberships"))
        .owner("organization_id", "organizations")
        .owner("user_id", "users")
        .column("role", choice(spec))
        .unique(&["organization_id", "user_id"])
        .index(&["organization_id", "created_at", "id"])
        .index(&["user_id", "created_at", "id"])
}

fn invitations(spec: &Spec) -> Table {
    table(name("invitations"))
        .owner("organization_id", "organizations")
        .owner("inviter_id", "users")
        .column("email", text(EMAIL_LENGTH))
        .column("role", choice(spec))
        .column("status", choice(spec))
        .column("token_hash", text(64))
        .column("expires_at", moment())
        .column("sent_count", ColumnKind::Integer)
        .column("last_sent_at", moment())
        .optional_column("accepted_at", moment())
        .unique(&["token_hash"])
        .index(&["organization_id", "created_at", "id"])
        .unique_where("uq_invitations_pending", &["organization_id", "email"], "status = 'pending'")
}

fn api_keys() -> Table {
    table(name("api_keys"))
        .owner("organization_id", "organizations")
        .owner("user_id", "users")
        .column("name", text(100))
        .column("hint", text(80))
        .column("key_hash", text(64))
        .column("scopes", ColumnKind::Json)
        .optional_column("expires_at", moment())
        .optional_column("last_used_at", moment())
        .optional_column("revoked_at", moment())
        .unique(&["key_hash"])
        .index(&["organization_id", "created_at", "id"])
}

fn files(spec: &Spec) -> Table {
    let files = table(name("files"))
        .owner("organization_id", "organizations")
        .column("row_version", ColumnKind::Integer)
        .pointer("uploader_id", "users")
        .column("name", text(255))
        .column("content_type", text(127))
        .column("size", ColumnKind::BigInteger)
        .optional_column("sha256", text(64))
        .column("status", choice(spec))
        .optional_column("expires_at", moment())
        .unique(&["organization_id", "id"])
        .index(&["organization_id", "created_at", "id"])
        .index(&["uploader_id"]);
    Table { is_isolated: spec.tenancy.row_level_security, ..files }
}

fn webhook_endpoints(spec: &Spec) -> Table {
    let endpoints = table(name("webhook_endpoints"))
        .owner("organization_id", "organizations")
        .column("url", text(URL_LENGTH))
        .column("description", text(200))
        .column("events", ColumnKind::Json)
        .column("sealed_secret", ColumnKind::Text)
        .optional_column("sealed_previous_secret", ColumnKind::Text)
        .optional_column("previous_until", moment())
        .column("failures", ColumnKind::Integer)
        .optional_column("disabled_at", moment())
        .optional_column("busy_until", moment())
        .unique(&["organization_id", "id"])
        .index(&["organization_id", "created_at", "id"]);
    Table { is_isolated: spec.tenancy.row_level_security, ..endpoints }
}

fn webhook_deliveries(spec: &Spec) -> Table {
    let deliveries = name("webhook_deliveries");
    let endpoint = ForeignKey {
        columns: vec![TENANT.to_owned(), "endpoint_id".to_owned()],
        target_columns: vec![TENANT.to_owned(), "id".to_owned()],
        ..ForeignKey::cascade(deliveries, "endpoint_id", "webhook_endpoints")
    };
    let deliveries = table(deliveries)
        .owner("organization_id", "organizations")
        .column("endpoint_id", uuid())
        .column("event", text(100))
        .column("body", ColumnKind::Text)
        .column("status", choice(spec))
        .column("attempts", ColumnKind::Integer)
        .column("due_at", moment())
        .optional_column("attempted_at", moment())
        .optional_column("response_status", ColumnKind::Integer)
        .optional_column("response_body", ColumnKind::Text)
        .foreign_key(&endpoint)
        .index(&["organization_id", "endpoint_id", "created_at", "id"])
        .index(&["endpoint_id", "status", "created_at"]);
    Table { is_isolated: spec.tenancy.row_level_security, ..deliveries }
}

fn audit_events(spec: &Spec) -> Table {
    let events = entries(name("audit_events"))
        .owner("organization_id", "organizations")
        .column("action", choice(spec))
        .column("actor_kind", choice(spec))
        .optional_column("actor_id", uuid())
        .column("target", text(64))
        .column("target_id", uuid())
        .column("changes", ColumnKind::Json)
        .column("request_id", text(64))
        .column("ip_address", text(45))
        .column("user_agent", text(255))
        .index(&["organization_id", "created_at", "id"])
        .index(&["organization_id", "target_id"]);
    Table { is_final: true, is_isolated: spec.tenancy.row_level_security, ..events }
}

fn idempotency_keys() -> Table {
    entries(name("idempotency_keys"))
        .optional_owner("organization_id", "organizations")
        .owner("user_id", "users")
        .column("caller_id", uuid())
        .column("route", text(255))
        .column("key", text(255))
        .column("fingerprint", text(64))
        .column("status_code", ColumnKind::Integer)
        .column("headers", ColumnKind::Json)
        .column("body", ColumnKind::Text)
        .unique(&["caller_id", "route", "key"])
        .index(&["created_at"])
        .index(&["organization_id"])
        .index(&["user_id"])
}

fn jobs(spec: &Spec) -> Table {
    let jobs = table(name("jobs"))
        .optional_owner("organization_id", "organizations")
        .column("kind", text(64))
        .column("payload", ColumnKind::Json)
        .column("status", choice(spec))
        .column("attempts", ColumnKind::Integer)
        .column("max_attempts", ColumnKind::Integer)
        .column("run_at", moment())
        .optional_column("dispatched_at", moment())
        .optional_column("leased_until", moment())
        .optional_column("finished_at", moment())
        .optional_column("error", ColumnKind::Text)
        .column("request_id", text(64));
    let jobs = match spec.observability.tracing {
        true => jobs.optional_column("traceparent", text(55)),
        false => jobs,
    };
    jobs.optional_column("unique_key", text(128))
        .unique(&["unique_key"])
        .index(&["status", "run_at"])
        .index(&["organization_id", "created_at", "id"])
}

fn emails(spec: &Spec) -> Table {
    table(name("emails"))
        .column("recipient", text(EMAIL_LENGTH))
        .column("subject", ColumnKind::Text)
        .optional_column("sealed_message", ColumnKind::Text)
        .column("status", choice(spec))
        .optional_column("error", ColumnKind::Text)
        .optional_column("finished_at", moment())
}

fn email_suppressions() -> Table {
    table(name("email_suppressions"))
        .column("address", text(EMAIL_LENGTH))
        .column("reason", ColumnKind::Text)
        .unique(&["address"])
}

fn billing_events(spec: &Spec) -> Table {
    table(name("billing_events"))
        .column("provider", text(32))
        .column("event_id", text(255))
        .column("type", text(255))
        .column("occurred_at", moment())
        .column("payload", ColumnKind::Json)
        .column("status", choice(spec))
        .optional_column("due_at", moment())
        .column("attempts", ColumnKind::Integer)
        .optional_column("error", ColumnKind::Text)
        .optional_column("handled_at", moment())
        .unique(&["provider", "event_id"])
        .index(&["status", "created_at", "id"])
        .index(&["due_at"])
}

fn overrides(spec: &Spec, billing: &Billing) -> Table {
    table(name("overrides"))
        .owner("payer_id", billing.payer.table())
        .column("kind", choice(spec))
        .column("name", text(64))
        .column("is_on", ColumnKind::Boolean)
        .optional_column("maximum", ColumnKind::Integer)
        .optional_column("expires_at", moment())
        .column("reason", text(500))
        .unique(&["payer_id", "kind", "name"])
}

fn trial_redemptions(billing: &Billing) -> Table {
    let redemptions = table(name("trial_redemptions")).column("digest", text(64));
    let redemptions = match billing.card_trial() {
        Some(_) => redemptions.optional_column("payer_id", uuid()),
        None => redemptions,
    };
    redemptions.unique(&["digest"])
}

fn feature_flags() -> Table {
    table(name("feature_flags"))
        .column("name", text(64))
        .column("is_killed", ColumnKind::Boolean)
        .optional_column("rollout", ColumnKind::Integer)
        .unique(&["name"])
}
