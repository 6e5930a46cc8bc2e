//! Which rows the tests of an entity can make.

use crate::services::file_reference::file_of;
use crate::spec::{
    Entity, Field, FieldKind, Flag, Guard, Operation, Plan, Role, STORAGE_LIMIT, Spec,
};
use crate::tests::casting::starting_plan;
use astgen_pyast::Name;
use std::collections::{HashMap, HashSet};

/// More rows than any test makes.
const MANY: u32 = 100;

/// How many rows Ada can make in her first organization, 100 standing for more; `None` where she cannot
/// use each route of the entity and make what its rows refer to.
#[must_use]
pub fn most_rows(spec: &Spec, entity: &Entity) -> Option<u32> {
    let owner = spec.organizations.owner();
    let plan = spec.billing.as_ref().map(starting_plan);
    let is_allowed = Operation::ALL.into_iter().all(|operation| {
        entity.roles(operation).contains(owner)
            && entity.guards.of(operation).iter().all(|guard| is_met(spec, guard, plan, true))
    });
    is_allowed.then(|| room(spec, entity, owner, plan, true)).filter(|most| *most > 0)
}

/// How many rows of an entity someone with a role can make under a plan; what is needed for them
/// counts too.
#[must_use]
pub fn room(
    spec: &Spec,
    entity: &Entity,
    role: &Role,
    plan: Option<&Plan>,
    is_active: bool,
) -> u32 {
    needed(spec, entity)
        .into_iter()
        .map(|needed| {
            let is_allowed = can_write(spec, needed, role, plan)
                && needed.guards.create.iter().all(|guard| is_met(spec, guard, plan, is_active));
            let limit = needed.limit.and_then(|limit| plan?.limit(limit)).unwrap_or(MANY);
            let distinct = if needed.fields.iter().all(is_repeatable) { MANY } else { 1 };
            if is_allowed { limit.min(distinct) } else { 0 }
        })
        .min()
        .unwrap_or(0)
}

/// Whether someone with a role can make rows of an entity under a plan, and send the files that they need.
#[must_use]
pub fn can_write(spec: &Spec, entity: &Entity, role: &Role, plan: Option<&Plan>) -> bool {
    let can_send =
        || spec.organizations.all_but_lowest().contains(role) && has_room_for_files(plan);
    entity.writers.contains(role) && (!needs_file(entity) || can_send())
}

/// Whether a plan allows any file.
#[must_use]
pub fn has_room_for_files(plan: Option<&Plan>) -> bool {
    plan.and_then(|plan| plan.limit(STORAGE_LIMIT)) != Some(0)
}

/// Whether a row of an entity cannot be without a file.
fn needs_file(entity: &Entity) -> bool {
    entity.fields.iter().any(|field| !field.optional && file_of(field).is_some())
}

/// Whether rows of an entity can be made of nothing that is there already.
#[must_use]
pub fn stands_alone(spec: &Spec, entity: &Entity) -> bool {
    needed(spec, entity).len() == 1 && !needs_file(entity)
}

/// An entity and everything that a row of it cannot be without.
#[must_use]
pub fn needed<'s>(spec: &'s Spec, entity: &'s Entity) -> Vec<&'s Entity> {
    let required = |entity: &'s Entity| {
        let required = entity.fields.iter().filter(|field| !field.optional);
        required.filter_map(|field| match &field.kind {
            FieldKind::Reference(reference) => Some(reference.to.name.as_str()),
            _ => None,
        })
    };
    if required(entity).next().is_none() {
        return vec![entity];
    }
    // A spec may have a thousand entities, each of which needs the one before.
    let entities = spec.entities.iter().map(|entity| (entity.names.name.as_str(), entity));
    let entities: HashMap<_, _> = entities.collect();
    let (mut found, mut known) = (vec![entity], HashSet::from([entity.names.name.as_str()]));
    let mut next = 0;
    while let Some(entity) = found.get(next).copied() {
        let new: Vec<_> = required(entity).filter(|name| known.insert(*name)).collect();
        found.extend(new.into_iter().filter_map(|name| entities.get(name).copied()));
        next += 1;
    }
    found
}

/// The entity that a reference points at.
#[must_use]
pub fn target<'s>(spec: &'s Spec, field: &Field) -> Option<&'s Entity> {
    let FieldKind::Reference(reference) = &field.kind else { return None };
    spec.entities.iter().find(|entity| entity.names == *reference.to)
}

/// Whether a guard lets someone through whose organization has a plan.
#[must_use]
pub fn is_met(spec: &Spec, guard: &Guard, plan: Option<&Plan>, is_active: bool) -> bool {
    match guard {
        Guard::ActiveSubscription => is_active,
        Guard::Feature(feature) => plan.is_some_and(|plan| plan.has_feature(*feature)),
        Guard::Flag(flag) => is_on(spec, *flag, plan),
        Guard::Limit(_) | Guard::FreshSession | Guard::RateLimit { .. } => true,
    }
}

/// Whether a flag is on under a plan, in tests, where everybody comes first in a rollout.
#[must_use]
pub fn is_on(spec: &Spec, name: Name, plan: Option<&Plan>) -> bool {
    let flags = spec.billing.iter().flat_map(|billing| &billing.flags);
    let has_flag = |plan: &Plan, flag: &Flag| flag.plans.contains(&plan.name);
    flags.filter(|flag| flag.name == name).any(|flag| {
        flag.default || flag.rollout > 0 || plan.is_some_and(|plan| has_flag(plan, flag))
    })
}

/// Whether a second row can have a sample of a field too.
fn is_repeatable(field: &Field) -> bool {
    const ENOUGH: i64 = 1_000_000;
    !field.unique
        || match &field.kind {
            FieldKind::Text(text) => text.max_length >= 8,
            FieldKind::Integer(integer) => integer.maximum.saturating_sub(integer.minimum) > ENOUGH,
            FieldKind::Money(money) => money.maximum.saturating_sub(money.minimum) > ENOUGH,
            FieldKind::Decimal(decimal) => decimal.precision - decimal.scale >= 6,
            FieldKind::Uuid | FieldKind::Email | FieldKind::Url { .. } => true,
            // A required one points at a row of its own, an optional one at nothing.
            FieldKind::Reference(_) => true,
            FieldKind::Boolean { .. }
            | FieldKind::Date { .. }
            | FieldKind::DateTime { .. }
            | FieldKind::Enum(_)
            | FieldKind::Json { .. } => false,
        }
}
