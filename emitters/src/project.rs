//! Every file of a project.

use crate::core::billing::has_overrides;
use crate::core::plans::{has_flags, has_limits, has_prices};
use crate::spec::{Entity, Payer, Spec};
use crate::tests::entities::Entities;
use crate::tests::entity_rows::Needs;
use crate::{
    Content, Generated, Printed, api, app_main, billing_main, core, files, manage, migrations,
    models, packages, probe, schemas, serve, services, tests, tools, worker,
};
use astgen_pyast::Module;
use rayon::prelude::*;

/// The root packages of a project, which its import blocks group last.
const FIRST_PARTY: [&str; 2] = ["app", "tests"];

/// The generated files, in no particular order.
///
/// ```
/// let spec = astgen_emitters::spec::read("[project]\nname = \"notes\"\n", "astgen.toml").unwrap();
/// let files = astgen_emitters::generate(&spec);
/// assert!(files.iter().any(|file| file.path == "backend/app/main.py"));
/// ```
#[must_use]
pub fn generate(spec: &Spec) -> Vec<Generated> {
    let known = &Entities::of(spec);
    let entities = spec.entities.iter().flat_map(|one| entity(spec, &known.needs, one));
    frame(spec, known).into_iter().flat_map(|part| part()).chain(entities).collect()
}

/// The texts of the generated files, in no particular order: on all cores, and no tree lives longer than it takes
/// to print it.
///
/// ```
/// let spec = astgen_emitters::spec::read("[project]\nname = \"notes\"\n", "astgen.toml").unwrap();
/// let files = astgen_emitters::generate_printed(&spec);
/// assert_eq!(files.len(), astgen_emitters::generate(&spec).len());
/// ```
#[must_use]
pub fn generate_printed(spec: &Spec) -> Vec<Printed> {
    generate_with(spec, |file| file)
}

/// What `work` makes of each printed file, in no particular order. It runs on all cores, beside the printing of other
/// files.
///
/// ```
/// let spec = astgen_emitters::spec::read("[project]\nname = \"notes\"\n", "astgen.toml").unwrap();
/// let sizes = astgen_emitters::generate_with(&spec, |file| file.text.len());
/// assert_eq!(sizes.len(), astgen_emitters::generate(&spec).len());
/// ```
#[must_use]
pub fn generate_with<T: Send>(spec: &Spec, work: impl Fn(Printed) -> T + Sync) -> Vec<T> {
    let work = |file: Generated| work(file.into_printed());
    let known = &Entities::of(spec);
    // Parts differ in size: handed out one by one, they leave no core without work at the end.
    let (mut made, of_entities): (Vec<T>, Vec<T>) = rayon::join(
        || {
            frame(spec, known)
                .into_par_iter()
                .with_max_len(1)
                .flat_map_iter(|part| part().into_iter().map(work))
                .collect()
        },
        || {
            spec.entities
                .par_iter()
                .with_max_len(1)
                .flat_map_iter(|one| entity(spec, &known.needs, one).map(work))
                .collect()
        },
    );
    made.extend(of_entities);
    made
}

/// A module that is not made yet, if there is to be one: its tree lives no longer than it takes to print it.
pub(crate) type Later<'s> = Box<dyn FnOnce() -> Option<Module> + Send + 's>;

/// Modules that are made when somebody asks for them: `later![models::job::emit(), core::filters::emit(spec)]`.
macro_rules! later {
    ($($module:expr),* $(,)?) => {
        [$(Box::new(move || $module.into()) as $crate::project::Later<'_>),*]
    };
}
pub(crate) use later;

/// Files that are made when somebody asks for them.
type Part<'s> = Box<dyn FnOnce() -> Vec<Generated> + Send + 's>;

/// All files but those of single entities.
fn frame<'s>(spec: &'s Spec, known: &'s Entities<'s>) -> Vec<Part<'s>> {
    let modules = application(spec)
        .into_iter()
        .chain(billing(spec))
        .chain(entity_support(spec))
        .chain(later![migrations::env::emit(spec), migrations::initial::emit(spec)])
        .chain(tests::emit_all(spec, known));
    let modules = modules.map(|module| -> Part<'_> {
        Box::new(move || module().map(|module| python(module, false)).into_iter().collect())
    });
    let others: [Part<'_>; 4] = [
        Box::new(|| {
            packages::emit(spec, known).into_iter().map(|module| python(module, true)).collect()
        }),
        Box::new(|| tools::emit(spec).into_iter().map(tool).collect()),
        Box::new(|| files::emit(spec)),
        Box::new(|| vec![migrations::schema::Schema::of(spec).file()]),
    ];
    // What takes longest comes first.
    others.into_iter().chain(modules).collect()
}

/// The files of one entity.
fn entity<'s>(
    spec: &'s Spec,
    needs: &'s Needs<'s>,
    entity: &'s Entity,
) -> impl Iterator<Item = Generated> + 's {
    let modules = later![
        models::entity::emit(spec, entity),
        schemas::entity::emit(spec, entity),
        services::entity_service::emit(spec, entity),
        api::entity::emit(spec, entity),
        tests::entities::emit(needs, entity),
    ];
    modules.into_iter().filter_map(|module| module()).map(|module| python(module, false))
}

fn application(spec: &Spec) -> Vec<Later<'_>> {
    let is_traced = spec.observability.tracing;
    let mut modules = Vec::from(later![
        app_main::emit(spec),
        core::access_log::emit(),
        core::audit::emit(spec.billing.is_some()),
        core::body_limit::emit(spec),
        core::client::emit(),
        core::credentials::emit(spec),
        core::database::emit(spec),
        core::draining::emit(),
        core::errors::emit(spec),
        core::idempotency::emit(spec),
        core::html::emit(),
        core::jobs::emit(is_traced),
        core::log_context::emit(),
        core::logging::emit(&spec.observability),
        core::operators::emit(),
        core::order::emit(),
        core::org_rbac::emit(spec),
        core::pagination::emit(),
        core::passwords::emit(),
        core::pauses::emit(),
        core::permissions::emit(spec),
        core::protection::emit(spec),
        core::lockout::emit(),
        core::rate_limit::emit(spec),
        core::raw_headers::emit(),
        core::rbac::emit(spec),
        core::redaction::emit(),
        core::request_id::emit(),
        core::request_labels::emit(),
        core::roles::emit(spec),
        core::sealing::emit(spec),
        core::security::emit(spec),
        core::settings::emit(spec),
        core::tenancy::emit(spec),
        core::tenant_statements::emit(),
        models::audit_event::emit(),
        models::base::emit(spec),
        models::email::emit(),
        models::invitation::emit(),
        models::job::emit(is_traced),
        models::membership::emit(),
        models::organization::emit(spec),
        models::refresh_token::emit(),
        models::session::emit(),
        models::types::emit(spec),
        models::user::emit(spec),
        schemas::audit::emit(),
        schemas::auth::emit(spec),
        schemas::base::emit(),
        schemas::fields::emit(spec),
        schemas::health::emit(),
        schemas::invitation::emit(),
        schemas::job::emit(),
        schemas::member::emit(),
        schemas::organization::emit(spec),
        services::audit_service::emit(),
        services::auth_service::emit(spec),
        services::email_service::emit(spec),
        services::invitation_reply_service::emit(spec),
        services::invitation_service::emit(spec),
        services::job_clock::emit(spec.observability.metrics),
        services::job_context::emit(),
        services::job_control::emit(),
        services::job_dispatcher::emit(spec.jobs.has_workers()),
        services::job_registry::emit(spec),
        services::job_runner::emit(&spec.observability),
        services::job_service::emit(),
        services::mail_message::emit(),
        services::mailer::emit(spec),
        services::maintenance::emit(spec),
        services::me_service::emit(spec),
        services::member_service::emit(spec),
        services::migration_head::emit(),
        services::organization_service::emit(spec),
        services::outbox::emit(),
        services::password_service::emit(spec),
        services::probes::emit(spec),
        services::resources::emit(spec),
        services::session_service::emit(spec),
        manage::emit(spec),
        probe::emit(),
        api::audit::emit(spec),
        api::auth::emit(spec),
        api::health::emit(),
        api::invitations::emit(spec),
        api::jobs::emit(spec),
        api::me::emit(),
        api::members::emit(spec),
        api::organizations::emit(spec),
        api::routers::emit(spec),
    ]);
    if spec.auth.has_totp() {
        modules.extend(later![
            models::totp::emit(),
            schemas::totp::emit(spec),
            services::totp_service::emit(),
            services::challenge_service::emit(),
            api::totp::emit(spec),
        ]);
    }
    if spec.storage.is_on() {
        modules.extend(later![
            core::file_types::emit(spec),
            models::stored_file::emit(),
            schemas::file::emit(),
            services::file_quota::emit(spec),
            services::file_receiver::emit(),
            services::file_service::emit(spec),
            services::file_sweeper::emit(),
            services::local_file_service::emit(),
            services::local_storage::emit(),
            services::storage::emit(),
            services::storage_connection::emit(spec),
            api::files::emit(spec),
        ]);
    }
    if spec.webhooks.enabled {
        modules.extend(later![
            core::outbound::emit(is_traced),
            core::webhook_events::emit(spec),
            core::webhook_signing::emit(),
            models::webhook::emit(),
            schemas::webhook::emit(),
            services::webhook_delivery::emit(spec.observability.metrics),
            services::webhook_outbox::emit(spec),
            services::webhook_service::emit(),
            api::webhook_endpoints::emit(),
        ]);
    }
    if spec.organizations.api_keys {
        modules.extend(later![
            core::api_keys::emit(spec),
            models::api_key::emit(),
            schemas::api_key::emit(),
            services::api_key_service::emit(),
            api::api_keys::emit(),
        ]);
    }
    if spec.observability.metrics {
        modules.extend(later![
            core::connections::emit(),
            core::metrics::emit(&spec.observability),
            core::work_metrics::emit(spec),
            serve::emit(),
            services::backlog::emit(spec),
        ]);
    }
    if spec.observability.has_port() {
        modules.extend(later![core::metrics_port::emit()]);
    }
    if spec.jobs.has_workers() {
        modules.extend(later![
            services::rq_dispatcher::emit(spec),
            worker::emit(spec),
            spec.observability.metrics.then(core::worker_metrics::emit)
        ]);
    }
    modules.extend(later![
        services::tenants::is_used(spec).then(services::tenants::emit),
        spec.auth.has_cookies().then(core::cookies::emit),
        core::rate_guard::emit(spec),
        models::idempotency_key::emit(),
        services::file_reference::is_used(spec).then(services::file_reference::emit),
        spec.storage.has_bucket().then(services::s3_storage::emit),
        spec.observability.log_file.as_ref().map(|_| core::log_file::emit()),
        is_traced.then(|| core::tracing::emit(spec)),
    ]);
    modules
}

/// What the entities stand on.
fn entity_support(spec: &Spec) -> Vec<Later<'_>> {
    if spec.entities.is_empty() {
        return Vec::new();
    }
    let mut modules = Vec::from(later![core::concurrency::emit(spec), core::filters::emit(spec),]);
    if spec.has_soft_delete() {
        modules.extend(later![
            core::soft_delete::emit(),
            services::deletion::emit(spec),
            services::trash::emit(),
        ]);
    }
    modules
}

fn billing(spec: &Spec) -> Vec<Later<'_>> {
    let Some(billing) = &spec.billing else { return Vec::new() };
    let mut modules = Vec::from(later![
        core::plans::emit(billing),
        core::access::emit(billing),
        core::billing::emit(billing),
        models::billing_event::emit(),
        schemas::billing::emit(billing),
        schemas::stripe::emit(billing),
        services::billing_provider::emit(billing),
        services::stripe_api::emit(),
        services::stripe_events::emit(billing),
        services::stripe_subscriptions::emit(billing),
        services::stripe_payments::emit(billing),
        services::stripe_provider::emit(),
        billing_main::emit(),
        services::billing_connection::emit(),
        services::billing_reconcile::emit(billing),
        services::billing_post::emit(spec, billing),
        services::billing_inbox::emit(),
        services::billing_sync::emit(billing),
        services::billing_worker::emit(),
        services::billing_webhook::emit(),
        api::billing::emit(spec, billing),
    ]);
    if has_overrides(billing) {
        modules.extend(later![
            models::r#override::emit(billing),
            schemas::entitlement::emit(billing),
            services::entitlement_service::emit(billing),
            services::override_service::emit(billing),
            api::entitlements::emit(spec, billing),
        ]);
    }
    if billing.trial.is_some() {
        modules.extend(later![
            models::trial_redemption::emit(billing),
            services::trial_service::emit(billing),
        ]);
    }
    if has_flags(billing) {
        modules.extend(later![
            core::feature_flags::emit(billing),
            models::feature_flag::emit(),
            services::flag_service::emit(),
        ]);
    }
    modules.extend(later![
        has_prices(billing).then(|| services::billing_service::emit(billing)),
        (billing.payer == Payer::User).then(|| core::payers::emit(spec, billing)),
        billing.has_seats().then(services::billing_seats::emit),
        has_limits(billing).then(|| services::billing_usage::emit(billing)),
        billing.own_trial().map(|_| services::trial_reminder::emit(billing)),
    ]);
    modules
}

/// A script beside the backend, which is its own program: `deployers` is what it finds beside it.
fn tool(module: Module) -> Generated {
    let path = format!("tools/{}.py", module.name.replace('.', "/"));
    Generated {
        path,
        content: Content::Python(module.first_party(["deploy", "deployers", "workspace"])),
    }
}

fn python(module: Module, is_package: bool) -> Generated {
    let file = if is_package { "/__init__.py" } else { ".py" };
    let path = format!("backend/{}{file}", module.name.replace('.', "/"));
    Generated { path, content: Content::Python(module.first_party(FIRST_PARTY)) }
}

#[cfg(test)]
mod snapshots;
