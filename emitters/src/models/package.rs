//! `backend/app/models/__init__.py`: the tables.

use crate::core::billing::has_overrides;
use crate::core::plans::has_flags;
use crate::models::{
    api_key, audit_event, base, billing_event, email, feature_flag, idempotency_key, invitation,
    job, membership, organization, r#override, refresh_token, session, stored_file, totp,
    trial_redemption, user, webhook,
};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models": ApiKey, AuditEvent, AuthSession, BackupCode, BillingEvent, Email, EmailSuppression, FeatureFlag,
        IdempotencyKey, Invitation, Job, LoginChallenge, Membership, Organization, Override, RefreshToken,
        StoredFile,
        TotpFactor, TrialRedemption, User, WebhookDelivery, WebhookEndpoint;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec, entities: impl IntoIterator<Item = Import>) -> Module {
    module("app.models")
        .docstring("The tables. Importing this package registers every one of them.")
        .exports([
            audit_event::AuditEvent,
            base::Base,
            email::Email,
            email::EmailSuppression,
            idempotency_key::IdempotencyKey,
            invitation::Invitation,
            job::Job,
            membership::Membership,
            organization::Organization,
            refresh_token::RefreshToken,
            session::AuthSession,
            user::User,
        ])
        .exports(spec.storage.is_on().then_some(stored_file::StoredFile))
        .exports(spec.webhooks.enabled.then(webhook_models).into_iter().flatten())
        .exports(spec.organizations.api_keys.then_some(api_key::ApiKey))
        .exports(spec.auth.has_totp().then(totp_models).into_iter().flatten())
        .exports(spec.billing.iter().map(|_| billing_event::BillingEvent))
        .exports(
            spec.billing
                .iter()
                .filter(|billing| has_overrides(billing))
                .map(|_| r#override::Override),
        )
        .exports(
            spec.billing
                .iter()
                .filter(|billing| has_flags(billing))
                .map(|_| feature_flag::FeatureFlag),
        )
        .exports(
            spec.billing
                .iter()
                .filter(|billing| billing.trial.is_some())
                .map(|_| trial_redemption::TrialRedemption),
        )
        .exports(entities)
}

fn webhook_models() -> [Import; 2] {
    [webhook::WebhookDelivery, webhook::WebhookEndpoint]
}

fn totp_models() -> [Import; 3] {
    [totp::BackupCode, totp::LoginChallenge, totp::TotpFactor]
}
