//! `backend/tests`

pub mod border;
pub mod casting;
pub mod stripe_contract;
pub mod stripe_state;
pub mod subject;
pub mod world;
mod world_billing;

pub mod conftest;
pub mod databases;
pub mod factories;
pub mod fake_stripe;
pub mod files;
pub mod openapi_hooks;
pub mod receiver;
pub mod servers;

pub mod entities;
pub mod entity;
pub mod entity_rows;
mod entity_values;

pub mod test_access;
pub mod test_api_keys;
pub mod test_audit;
pub mod test_auth;
pub mod test_billing_post;
pub mod test_billing_properties;
pub mod test_border_properties;
pub mod test_card_trials;
pub mod test_checkout;
pub mod test_conventions;
pub mod test_cookies;
pub mod test_database;
pub mod test_email;
pub mod test_entities;
pub mod test_entitlements;
pub mod test_entity_access;
pub mod test_entity_bulk;
pub mod test_entity_idempotency;
pub mod test_entity_lists;
pub mod test_entity_relations;
pub mod test_entity_trash;
pub mod test_entity_versions;
pub mod test_errors;
pub mod test_feature_flags;
pub mod test_fields;
pub mod test_file_quota;
pub mod test_file_reference;
pub mod test_file_sweeper;
pub mod test_files;
pub mod test_health;
pub mod test_idempotency;
pub mod test_invitations;
pub mod test_job_routes;
pub mod test_jobs;
pub mod test_log_file;
pub mod test_logging;
pub mod test_manage;
pub mod test_me;
pub mod test_members;
pub mod test_metrics;
pub mod test_migration_head;
pub mod test_migrations;
pub mod test_monitoring;
pub mod test_openapi;
pub mod test_openapi_fuzz;
pub mod test_organizations;
pub mod test_outbound;
pub mod test_outbox;
pub mod test_pagination;
pub mod test_passwords;
pub mod test_payers;
pub mod test_plans;
pub mod test_probe;
pub mod test_protection;
pub mod test_rate_limits;
pub mod test_reconcile;
pub mod test_request_id;
pub mod test_s3_storage;
pub mod test_seats;
pub mod test_security;
pub mod test_server;
pub mod test_sessions;
pub mod test_settings;
pub mod test_smtp;
pub mod test_statements;
pub mod test_subscriptions;
pub mod test_tenancy;
pub mod test_tenant_statements;
pub mod test_tools;
pub mod test_totp;
pub mod test_tracing;
pub mod test_trash;
pub mod test_trials;
pub mod test_webhook;
pub mod test_webhooks;
pub mod test_worker;

use crate::project::{Later, later};
use crate::services::file_reference;
use crate::spec::{Billing, EmailBackend, Spec};

/// Every test module that a spec wants, but for those of its entities.
#[must_use]
pub fn emit_all<'s>(spec: &'s Spec, known: &'s entities::Entities<'s>) -> Vec<Later<'s>> {
    let mut modules = Vec::from(later![
        conftest::emit(spec),
        databases::emit(spec),
        servers::emit(spec),
        world::emit(spec),
        entity::emit(known),
        test_entities::emit(known),
        test_entity_access::emit(known),
        test_entity_bulk::emit(known),
        test_entity_idempotency::emit(known),
        test_entity_lists::emit(known),
        test_entity_relations::emit(known),
        test_entity_trash::emit(known),
        test_entity_versions::emit(known),
        test_audit::emit(spec),
        test_auth::emit(spec),
        test_conventions::emit(spec),
        test_database::emit(spec),
        test_email::emit(spec),
        test_errors::emit(spec),
        test_fields::emit(),
        test_health::emit(spec),
        test_manage::emit(spec),
        test_me::emit(spec),
        test_migration_head::emit(),
        test_migrations::emit(spec),
        test_job_routes::emit(spec),
        test_jobs::emit(),
        openapi_hooks::emit(spec),
        test_openapi::emit(spec),
        test_openapi_fuzz::emit(),
        test_organizations::emit(spec),
        test_outbox::emit(),
        test_pagination::emit(spec),
        test_passwords::emit(spec),
        test_probe::emit(),
        test_protection::emit(spec),
        test_rate_limits::emit(spec),
        test_logging::emit(),
        test_request_id::emit(),
        test_security::emit(spec),
        test_server::emit(spec),
        test_sessions::emit(spec),
        test_settings::emit(spec),
        test_tools::emit(spec),
    ]);
    if spec.storage.is_on() {
        modules.extend(later![
            files::emit(),
            test_files::emit(),
            test_file_sweeper::emit(),
            test_file_quota::emit(spec),
        ]);
    }
    if spec.webhooks.enabled {
        modules.extend(later![receiver::emit(), test_outbound::emit(), test_webhooks::emit(spec)]);
    }
    if casting::has_room(spec, 2) {
        modules.extend(later![test_invitations::emit(spec), test_members::emit(spec)]);
    }
    if spec.observability.metrics {
        modules.extend(later![test_metrics::emit(spec), test_monitoring::emit(spec)]);
    }
    modules.extend(spec.billing.as_ref().into_iter().flat_map(|billing| of_billing(spec, billing)));
    let sends_mail = spec.email.backend == EmailBackend::Smtp;
    modules.extend(later![
        file_reference::is_used(spec).then(test_file_reference::emit),
        test_trash::emit(spec),
        test_idempotency::emit(spec),
        spec.storage.has_bucket().then(test_s3_storage::emit),
        factories::emit(spec),
        spec.organizations.api_keys.then(|| test_api_keys::emit(spec)),
        spec.auth.has_cookies().then(|| test_cookies::emit(spec)),
        spec.auth.has_totp().then(|| test_totp::emit(spec)),
        spec.observability.log_file.as_ref().map(|_| test_log_file::emit()),
        test_plans::emit(spec),
        test_access::emit(spec),
        test_entitlements::emit(spec),
        test_feature_flags::emit(spec),
        casting::has_trial(spec).then(test_trials::emit),
        spec.observability.tracing.then(|| test_tracing::emit(spec)),
        sends_mail.then(test_smtp::emit),
        spec.jobs.has_workers().then(|| test_worker::emit(spec)),
        test_statements::emit(spec),
        border::emit(spec),
        test_border_properties::emit(spec),
        test_tenancy::emit(spec),
        test_tenant_statements::emit(spec),
    ]);
    modules
}

/// The tests of billing, and the Stripe that stands in for the real one.
fn of_billing<'s>(spec: &'s Spec, billing: &'s Billing) -> Vec<Later<'s>> {
    let mut modules = Vec::from(later![
        fake_stripe::emit(),
        stripe_contract::emit(),
        stripe_state::emit(),
        test_webhook::emit(),
    ]);
    if let Some(offer) = casting::offer(spec) {
        let of_cards = move |trial| test_card_trials::emit(billing, trial, offer);
        modules.extend(later![
            test_billing_properties::emit(),
            test_checkout::emit(spec, offer),
            test_billing_post::emit(billing),
            test_reconcile::emit(offer),
            test_seats::emit(spec),
            test_payers::emit(spec, billing, offer),
            billing.card_trial().map(of_cards),
            test_subscriptions::emit(spec, billing, offer),
        ]);
    }
    modules
}
