//! Which rows the tests of an entity can make.

use crate::services::file_reference::file_of;
use crate::spec::{
    Entity, EntityNames, Field, FieldKind, Flag, Guard, Operation, Plan, Role, STORAGE_LIMIT, Spec,
};
use crate::tests::casting::starting_plan;
use astgen_pyast::Name;
use std::collections::HashMap;

/// More rows than any test makes.
const MANY: u32 = 100;

/// What a row of each entity cannot be without. Found once: a spec may have a thousand entities, each of which needs
/// the one before.
pub struct Needs<'s> {
    /// The spec.
    pub spec: &'s Spec,
    of: HashMap<Name, Need<'s>>,
}

/// An entity, and all that a row of it cannot be without, taken together.
#[derive(Clone)]
struct Need<'s> {
    /// The roles that may write all of it.
    writers: Vec<&'s Role>,
    /// What stands before the routes that make it.
    guards: Vec<&'s Guard>,
    /// What it counts against.
    limits: Vec<Name>,
    has_file: bool,
    /// Whether a second row can have a sample of each field too.
    is_repeatable: bool,
    /// Whether other entities are among it.
    has_others: bool,
}

impl<'s> Needs<'s> {
    /// The needs of all entities of a spec.
    #[must_use]
    pub fn of(spec: &'s Spec) -> Needs<'s> {
        let mut needs = Needs { spec, of: HashMap::with_capacity(spec.entities.len()) };
        // What a row cannot be without is made before it.
        for entity in spec.in_creation_order() {
            let others = required(entity).filter_map(|names| needs.of.get(&names.name));
            let need = others.fold(Need::of(entity), Need::with);
            needs.of.insert(entity.names.name, need);
        }
        needs
    }
}

impl<'s> Need<'s> {
    fn of(entity: &'s Entity) -> Need<'s> {
        Need {
            writers: entity.writers.iter().collect(),
            guards: entity.guards.create.iter().collect(),
            limits: entity.limit.into_iter().collect(),
            has_file: entity.fields.iter().any(|field| !field.optional && file_of(field).is_some()),
            is_repeatable: entity.fields.iter().all(is_repeatable),
            has_others: false,
        }
    }

    fn with(mut self, other: &Need<'s>) -> Need<'s> {
        self.writers.retain(|role| other.writers.contains(role));
        extend(&mut self.guards, &other.guards);
        extend(&mut self.limits, &other.limits);
        self.has_file |= other.has_file;
        self.is_repeatable &= other.is_repeatable;
        self.has_others = true;
        self
    }

    fn may_make(&self, spec: &Spec, role: &Role, plan: Option<&Plan>) -> bool {
        let may_send = || spec.organizations.all_but_lowest().contains(role);
        self.writers.contains(&role) && (!self.has_file || may_send() && has_room_for_files(plan))
    }
}

fn extend<T: Copy + PartialEq>(all: &mut Vec<T>, more: &[T]) {
    let new: Vec<T> = more.iter().filter(|one| !all.contains(one)).copied().collect();
    all.extend(new);
}

/// The entities whose rows a row of this one has to point at.
pub fn required(entity: &Entity) -> impl Iterator<Item = &EntityNames> {
    let required = entity.fields.iter().filter(|field| !field.optional);
    required.filter_map(|field| match &field.kind {
        FieldKind::Reference(reference) if reference.file.is_none() => Some(&*reference.to),
        _ => None,
    })
}

/// How many rows Ada can make in her first organization, 100 standing for more; `None` where she cannot
/// use each route of the entity and make what its rows refer to.
#[must_use]
pub fn most_rows(needs: &Needs<'_>, entity: &Entity) -> Option<u32> {
    let spec = needs.spec;
    let owner = spec.organizations.owner();
    let plan = spec.billing.as_ref().map(starting_plan);
    let is_allowed = Operation::ALL.into_iter().all(|operation| {
        entity.roles(operation).contains(owner)
            && entity.guards.of(operation).iter().all(|guard| is_met(spec, guard, plan, true))
    });
    is_allowed.then(|| room(needs, &entity.names, owner, plan, true)).filter(|most| *most > 0)
}

/// How many rows of an entity someone with a role can make under a plan; what is needed for them
/// counts too.
#[must_use]
pub fn room(
    needs: &Needs<'_>,
    names: &EntityNames,
    role: &Role,
    plan: Option<&Plan>,
    is_active: bool,
) -> u32 {
    let Some(need) = needs.of.get(&names.name) else { return 0 };
    let is_allowed = need.may_make(needs.spec, role, plan)
        && need.guards.iter().all(|guard| is_met(needs.spec, guard, plan, is_active));
    let limits = need.limits.iter().filter_map(|limit| plan?.limit(*limit));
    let distinct = if need.is_repeatable { MANY } else { 1 };
    if is_allowed { limits.fold(distinct, u32::min) } else { 0 }
}

/// Whether someone with a role can make rows of an entity under a plan, with all that they need.
#[must_use]
pub fn may_make(needs: &Needs<'_>, entity: &Entity, role: &Role, plan: Option<&Plan>) -> bool {
    let need = needs.of.get(&entity.names.name);
    need.is_some_and(|need| need.may_make(needs.spec, role, plan))
}

/// Whether a plan allows any file.
#[must_use]
pub fn has_room_for_files(plan: Option<&Plan>) -> bool {
    plan.and_then(|plan| plan.limit(STORAGE_LIMIT)) != Some(0)
}

/// Whether rows of an entity can be made of nothing that is there already.
#[must_use]
pub fn stands_alone(needs: &Needs<'_>, entity: &Entity) -> bool {
    needs.of.get(&entity.names.name).is_some_and(|need| !need.has_others && !need.has_file)
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
