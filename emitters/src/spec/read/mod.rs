//! Reading `astgen.toml`.
//!
//! `serde` stops at the first error and knows places only where it is asked for them. So the text is
//! parsed into a tree with places (`toml`'s `DeTable`), and walked by functions that are also the
//! description of the format ([`table`]): every error of a run is found, and the JSON Schema comes
//! from the same functions.

mod access;
mod address;
mod auth;
mod billing;
mod claims;
mod entity;
mod errors;
mod field;
mod guard;
mod name;
mod names;
mod order;
mod organizations;
mod project;
mod quantity;
mod resolve;
mod rows;
mod scalar;
mod services;
mod shape;
mod table;
mod tagged;

use self::billing::RawBilling;
use self::entity::RawEntity;
use self::errors::Errors;
use self::name::{Entries, Entry, Identifier};
pub use self::project::{is_project_name, title_of};
use self::resolve::Entities;
use self::shape::{Record, Shape};
use self::table::{Placed, Table};
use super::error::{Place, Problem, SpecError, SpecErrors, quoted};
use super::{
    Auth, Billing, BillingProvider, Counted, Deploy, Email, Entity, Feature, FieldKind, Jobs,
    Limit, Observability, Organizations, Project, STORAGE_LIMIT, Spec, Storage, Tenancy, Webhooks,
    text,
};
use astgen_pyast::Name;
use miette::NamedSource;
use serde_json::{Value, json};
use std::sync::Arc;
use toml::de::DeTable;

/// The most bytes of a spec: some ten thousand entities.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Reads a spec. `path` is only what the errors call the file.
///
/// # Errors
/// Everything that is wrong with the spec, each with its place.
///
/// ```
/// let source = "[project]\nname = \"acme\"\n";
/// let spec = astgen_emitters::spec::read(source, "astgen.toml").unwrap();
/// assert_eq!(spec.project.title, "Acme");
///
/// let source = "[project]\nname = \"acme\"\n[entities.tasks]";
/// let errors = astgen_emitters::spec::read(source, "astgen.toml").unwrap_err();
/// assert_eq!(errors.errors[0].to_string(), "an entity needs the key `fields`");
/// ```
pub fn read(source: &str, path: &str) -> Result<Spec, SpecErrors> {
    let mut errors = Errors::default();
    let spec = parse(source, &mut errors).and_then(|document| spec(document, &mut errors));
    match spec {
        Some(spec) if errors.is_empty() => Ok(spec),
        _ => Err(rejected(errors, source, path)),
    }
}

/// The JSON Schema of a spec.
#[must_use]
pub fn schema() -> Value {
    let mut schema = Record { name: ROOT, read: root }.describe();
    if let Value::Object(schema) = &mut schema {
        schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.insert("title".to_owned(), json!("astgen.toml"));
    }
    schema
}

/// What messages call the whole file.
const ROOT: &str = "the spec";

struct Raw {
    project: Option<Project>,
    auth: Auth,
    organizations: Organizations,
    tenancy: Tenancy,
    billing: Option<RawBilling>,
    entities: Vec<Entry<RawEntity>>,
    storage: Storage,
    email: Email,
    jobs: Jobs,
    webhooks: Option<Placed<Webhooks>>,
    observability: Observability,
    deploy: Deploy,
}

fn root(table: &mut Table<'_>) -> Raw {
    let project = table.required(
        "project",
        "What the product is called: `[project]` with a `name`.",
        Record { name: "[project]", read: project::project },
    );
    let billing = table.optional(
        "billing",
        "Plans and payment. Without this table the product has none.",
        Record { name: "[billing]", read: billing::billing },
    );
    let entities = table.optional(
        "entities",
        "What the product keeps for its organizations, by name in the singular.",
        Entries {
            keys: Identifier::Entity,
            values: Record { name: "an entity", read: entity::entity },
        },
    );
    let webhooks = table.optional(
        "webhooks",
        "Events that organizations have sent to other programs.",
        Record { name: "[webhooks]", read: services::webhooks },
    );
    Raw {
        project: project.and_then(|project| project.value),
        auth: table.section("auth", "[auth]", "How people prove who they are.", auth::auth),
        organizations: table.section(
            "organizations",
            "[organizations]",
            "Organizations, roles and invitations.",
            organizations::organizations,
        ),
        tenancy: table.section(
            "tenancy",
            "[tenancy]",
            "How the rows of one organization are kept from another.",
            services::tenancy,
        ),
        billing: billing.and_then(|billing| billing.value),
        entities: entities.map_or_else(Vec::new, |entities| entities.value),
        storage: table.section("storage", "[storage]", "Uploaded files.", services::storage),
        email: table.section("email", "[email]", "How mail leaves.", services::email),
        jobs: table.section("jobs", "[jobs]", "Work in the background.", services::jobs),
        webhooks,
        observability: table.section(
            "observability",
            "[observability]",
            "Metrics, logs and traces.",
            services::observability,
        ),
        deploy: table.section("deploy", "[deploy]", "Where the product runs.", services::deploy),
    }
}

fn parse<'s>(source: &'s str, errors: &mut Errors) -> Option<DeTable<'s>> {
    if source.len() > MAX_BYTES {
        let problem = Problem::TooLarge { most: MAX_BYTES };
        errors.push(SpecError::new(0..0, problem));
        return None;
    }
    let (document, found) = DeTable::parse_recoverable(source);
    let mut last = None;
    for error in &found {
        // An unclosed bracket is reported for each level around it.
        if last.replace((error.message(), error.span())) != Some((error.message(), error.span())) {
            errors.push(syntax(error, source));
        }
    }
    // A tree that was guessed from a broken text would bring errors that are none.
    found.is_empty().then(|| document.into_inner())
}

fn syntax(error: &toml::de::Error, source: &str) -> SpecError {
    let place = error.span().unwrap_or(0..0);
    match (error.message(), source.get(place.clone())) {
        ("duplicate key", Some(key)) => {
            let problem = Problem::WrittenTwice { name: quoted(key) };
            SpecError::new(place, problem).help("leave one of them out, or join them")
        }
        (message, _) => SpecError::new(place, Problem::Syntax { message: message.to_owned() }),
    }
}

fn spec(document: DeTable<'_>, errors: &mut Errors) -> Option<Spec> {
    let mut table = Table::reading(ROOT, &document, 0..0, errors);
    let raw = root(&mut table);
    table.finish();
    let webhooks = told(raw.webhooks, raw.entities.is_empty(), errors);
    let organizations = &raw.organizations;
    let billing = raw.billing.as_ref();
    let resolved = resolve::entities(raw.entities, organizations, billing, &raw.storage, errors);
    let project = raw.project?;
    let billing =
        raw.billing.map(|billing| with_limits(billing, &project, &resolved, &raw.storage, errors));
    let longest_choice = longest_choice(&resolved.entities, organizations, billing.as_ref());
    Some(Spec {
        project,
        auth: raw.auth,
        organizations: raw.organizations,
        tenancy: raw.tenancy,
        billing,
        entities: resolved.entities,
        creation_order: resolved.creation_order,
        relations: resolved.relations,
        longest_choice,
        storage: raw.storage,
        email: raw.email,
        jobs: raw.jobs,
        webhooks,
        observability: raw.observability,
        deploy: raw.deploy,
    })
}

/// The characters of the longest text that an enum stores.
fn longest_choice(
    entities: &[Entity],
    organizations: &Organizations,
    billing: Option<&Billing>,
) -> usize {
    let fields = entities.iter().flat_map(|entity| &entity.fields);
    let values = fields.flat_map(|field| match &field.kind {
        FieldKind::Enum(choice) => choice.values.as_slice(),
        _ => &[],
    });
    let values = values.map(|value| value.value.chars().count());
    let roles = organizations.roles.iter().map(|role| role.name.as_str().len());
    let plans = billing.into_iter().flat_map(|billing| &billing.plans);
    let plans = plans.map(|plan| plan.name.as_str().len());
    values.chain(roles).chain(plans).max().unwrap_or(0)
}

/// The webhooks, if there is something that they can tell of.
fn told(webhooks: Option<Placed<Webhooks>>, is_empty: bool, errors: &mut Errors) -> Webhooks {
    let Some(Placed { value: webhooks, place }) = webhooks else {
        return Webhooks { enabled: false };
    };
    if webhooks.enabled && is_empty {
        let sentence = "webhooks tell of entities, and there are none".to_owned();
        let error = SpecError::new(place, Problem::Inconsistent(sentence));
        errors.push(error.help("write an entity, or `enabled = false`"));
    }
    webhooks
}

fn with_limits(
    raw: RawBilling,
    project: &Project,
    resolved: &Entities,
    storage: &Storage,
    errors: &mut Errors,
) -> Billing {
    let mut plans = raw.plans;
    for price in plans.iter_mut().filter_map(|plan| plan.price.as_mut()) {
        price.lookup_key = format!("{}_{}", project.identifier, price.lookup_key);
    }
    let features = raw.features.into_iter().filter_map(|Placed { value: name, .. }| {
        let constant = organizations::constant_of(name)?;
        Some(Feature { name, constant, title: text::title(name.as_str()) })
    });
    let limits = raw.limits.into_iter().filter_map(|Placed { value: name, place }| {
        let counts = counted(name, &place, resolved, storage, errors)?;
        let constant = organizations::constant_of(name)?;
        Some(Limit { name, constant, title: text::title(name.as_str()), counts })
    });
    Billing {
        provider: BillingProvider::Stripe,
        payer: raw.payer,
        trial: raw.trial,
        grace_period: raw.grace_period,
        features: features.collect(),
        limits: limits.collect(),
        flags: raw.flags,
        plans,
    }
}

fn counted(
    name: Name,
    place: &Place,
    resolved: &Entities,
    storage: &Storage,
    errors: &mut Errors,
) -> Option<Counted> {
    if name.as_str() == "members" {
        return Some(Counted::Members);
    }
    if name == STORAGE_LIMIT && storage.is_on() {
        return Some(Counted::Storage);
    }
    if let Some((names, _)) = resolved.limits.get(&name) {
        return Some(Counted::Rows(Box::new(names.clone())));
    }
    let sentence = format!("nothing counts against the limit `{name}`");
    let help = if name == STORAGE_LIMIT {
        "write `backend = \"local\"` or `\"s3\"` in `[storage]`".to_owned()
    } else {
        format!("write `limit = \"{name}\"` in the entity whose rows it counts")
    };
    errors.push(SpecError::new(place.clone(), Problem::Inconsistent(sentence)).help(help));
    None
}

fn rejected(mut errors: Errors, source: &str, path: &str) -> SpecErrors {
    errors.kept.sort_by_key(|error| error.place.start);
    // A spec that is refused for its size is not shown.
    let shown = if source.len() > MAX_BYTES { "" } else { source };
    SpecErrors {
        errors: errors.kept,
        omitted: errors.omitted,
        source: NamedSource::new(path, Arc::from(shown)).with_language("TOML"),
    }
}
