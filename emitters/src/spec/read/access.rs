//! Who may do what with an entity: roles, guards and the limit.

use super::billing::RawBilling;
use super::entity::RawEntity;
use super::errors::Errors;
use super::guard::RawGuard;
use super::organizations::{RoleNames, chosen, twice};
use super::table::Placed;
use crate::spec::error::{Place, Problem, SpecError, quoted};
use crate::spec::{
    EntityNames, Guard, Guards, Operation, Organizations, Role, STORAGE_LIMIT, text,
};
use astgen_pyast::Name;
use std::collections::HashMap;

/// Who may do what.
pub struct Access {
    pub readers: Vec<Role>,
    pub writers: Vec<Role>,
    pub guards: Guards,
    pub limit: Option<Name>,
}

/// Which entity counts against a limit, and where it says so.
type Limits = HashMap<Name, (EntityNames, Place)>;

/// Looks up the roles, features and limits that an entity names.
pub fn access(
    raw: &RawEntity,
    names: &EntityNames,
    organizations: &Organizations,
    billing: Option<&RawBilling>,
    limits: &mut Limits,
    errors: &mut Errors,
) -> Access {
    let roles = &organizations.roles;
    let readers = listed(raw.readers.as_ref(), roles, roles, errors);
    let writers = listed(raw.writers.as_ref(), organizations.all_but_lowest(), roles, errors);
    let limit = limit(raw, names, billing, limits, errors);

    let mut guards = Guards::default();
    for (operation, written) in raw.guards.iter().flat_map(|guards| &guards.guards) {
        let Some(guard) = guard(written, *operation, raw, billing, errors) else {
            continue;
        };
        let operations = match (operation, guard) {
            (Some(operation), _) => std::slice::from_ref(operation),
            (None, Guard::Limit(_)) => &[Operation::Create],
            (None, _) => &Operation::ALL,
        };
        for (number, &operation) in operations.iter().enumerate() {
            let before = guards.of_mut(operation);
            if !before.contains(&guard) {
                before.push(guard);
            } else if number == 0 {
                errors.push(twice("the guard", &guard_text(guard), &written.place));
            }
        }
    }
    if let Some(limit) = limit.map(Guard::Limit)
        && !guards.create.contains(&limit)
    {
        guards.create.push(limit);
    }
    Access { readers, writers, guards, limit }
}

fn listed(
    names: Option<&RoleNames>,
    default: &[Role],
    roles: &[Role],
    errors: &mut Errors,
) -> Vec<Role> {
    match names {
        Some(names) => chosen(roles, names, |error| errors.push(error)),
        None => default.to_vec(),
    }
}

fn limit(
    raw: &RawEntity,
    names: &EntityNames,
    billing: Option<&RawBilling>,
    limits: &mut Limits,
    errors: &mut Errors,
) -> Option<Name> {
    let written = raw.limit.as_ref()?;
    if written.value == "members" {
        let sentence = "the limit `members` counts the members of an organization".to_owned();
        let error = SpecError::new(written.place.clone(), Problem::Inconsistent(sentence));
        errors.push(error.help(format!("write `limit = \"{}\"`", names.plural)));
        return None;
    }
    if written.value == STORAGE_LIMIT.as_str() {
        let sentence = format!("the limit `{STORAGE_LIMIT}` counts the megabytes of the files");
        let error = SpecError::new(written.place.clone(), Problem::Inconsistent(sentence));
        errors.push(error.help(format!("write `limit = \"{}\"`", names.plural)));
        return None;
    }
    let known = named("limit", written, billing, |billing| &billing.limits, errors)?;
    if let Some((other, place)) = limits.get(&known) {
        let sentence = format!("the limit `{known}` already counts `{}`", other.plural);
        let error = SpecError::new(written.place.clone(), Problem::Inconsistent(sentence));
        let help = "give each entity a limit of its own";
        errors.push(error.other(place.clone(), "the other one").help(help));
        return None;
    }
    limits.insert(known, (names.clone(), written.place.clone()));
    Some(known)
}

fn guard(
    written: &Placed<RawGuard>,
    operation: Option<Operation>,
    raw: &RawEntity,
    billing: Option<&RawBilling>,
    errors: &mut Errors,
) -> Option<Guard> {
    match &written.value {
        RawGuard::ActiveSubscription if billing.is_none() => {
            errors.push(no_billing(&written.place));
            None
        }
        RawGuard::ActiveSubscription => {
            let is_sold =
                |billing: &RawBilling| billing.plans.iter().any(|plan| plan.price.is_some());
            if !billing.is_some_and(is_sold) {
                let sentence = "nobody can have a subscription: no plan has a price".to_owned();
                let error = SpecError::new(written.place.clone(), Problem::Inconsistent(sentence));
                errors.push(error.help("add a plan with a price, or leave the guard out"));
            }
            Some(Guard::ActiveSubscription)
        }
        RawGuard::FreshSession => Some(Guard::FreshSession),
        RawGuard::RateLimit { count, per } => Some(Guard::RateLimit { count: *count, per: *per }),
        RawGuard::Feature(feature) => {
            named("feature", feature, billing, |billing| &billing.features, errors)
                .map(Guard::Feature)
        }
        RawGuard::Flag(flag) => {
            named("flag", flag, billing, |billing| &billing.flag_names, errors).map(Guard::Flag)
        }
        RawGuard::Limit(limit) => {
            let known = named("limit", limit, billing, |billing| &billing.limits, errors)?;
            let is_own = raw.limit.as_ref().is_some_and(|own| own.value == limit.value);
            let is_create = matches!(operation, None | Some(Operation::Create));
            if is_own && is_create {
                return Some(Guard::Limit(known));
            }
            let sentence = match is_create {
                true => format!("nothing counts against the limit `{known}` here"),
                false => "a limit stands before `create` only".to_owned(),
            };
            let help = format!("write `limit = \"{known}\"` in the entity instead of the guard");
            let error = SpecError::new(limit.place.clone(), Problem::Inconsistent(sentence));
            errors.push(error.help(help));
            None
        }
    }
}

/// Looks up a feature, a limit or a flag among those that there are.
fn named(
    what: &'static str,
    written: &Placed<String>,
    billing: Option<&RawBilling>,
    names: fn(&RawBilling) -> &Vec<Placed<Name>>,
    errors: &mut Errors,
) -> Option<Name> {
    let Some(billing) = billing else {
        errors.push(no_billing(&written.place));
        return None;
    };
    let known = names(billing).iter().map(|name| name.value);
    let found = known.clone().find(|name| name.as_str() == written.value);
    if found.is_none() {
        let problem = Problem::UnknownName { what, name: quoted(&written.value) };
        let error = SpecError::new(written.place.clone(), problem);
        errors.push(match text::closest(&written.value, known.map(Name::as_str)) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None if what == "flag" => error.help("add it to `billing.flags`"),
            None => error.help(format!("add it to the {what}s of a plan")),
        });
    }
    found
}

fn no_billing(place: &Place) -> SpecError {
    SpecError::new(place.clone(), Problem::NoBilling)
        .help("add `[billing]` with plans, or leave this out")
}

fn guard_text(guard: Guard) -> String {
    match guard {
        Guard::ActiveSubscription => "active_subscription".to_owned(),
        Guard::FreshSession => "fresh_session".to_owned(),
        Guard::Feature(name) | Guard::Limit(name) | Guard::Flag(name) => name.to_string(),
        Guard::RateLimit { .. } => "rate_limit".to_owned(),
    }
}
