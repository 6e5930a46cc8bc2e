//! `backend/tests/entities/`: what the tests know of each entity.

use crate::entity_filters::{filters, sortable};
use crate::python::builtins::{isinstance, list, object, str};
use crate::python::pytest::pytest;
use crate::python::standard::{Iterable, UUID, partial};
use crate::spec::{
    Billing, Counted, Entity, Field, FieldKind, File, FileType, Guard, OnDelete, Operation, Plan,
    Reference, Role, Spec, Text, text,
};
use crate::tests::casting::{has_room, lookup_key, paid_plans, starting_plan};
use crate::tests::entity;
use crate::tests::entity_rows::{
    Needs, has_room_for_files, is_met, may_make, most_rows, required, room, stands_alone,
};
use crate::tests::entity_values::{changes, invalid, shown_default};
use crate::tests::factories::{self, create_file};
use crate::tests::subject::is_needed;
use crate::wording::capitalized;
use astgen_pyast::ast::{Constant, UnaryOp};
use astgen_pyast::make;
use astgen_pyast::prelude::*;
use rayon::prelude::*;
use std::collections::HashSet;

vocabulary! {
    "tests.entities": ENTITIES, each, named;
}

/// More rows take long to make.
const MOST_ROWS: u32 = 20;

/// In the order in which the tests try them.
const OPERATIONS: [Operation; 5] =
    [Operation::List, Operation::Create, Operation::Read, Operation::Update, Operation::Delete];

/// What can be known of an entity beside its path and its factories: an attribute each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fact {
    /// The columns that a request cannot leave out.
    Required,
    /// What the others are when nobody says it.
    Defaults,
    /// Values that are refused.
    Invalid,
    /// Values that a change can set.
    Changes,
    /// Filters with a value that no other row has.
    Filters,
    /// Filters by what differs in each row.
    OwnFilters,
    /// A column that searches look into.
    Searched,
    /// The columns that lists are sorted by.
    Sorts,
    /// Those of them whose values sort in JSON too.
    Comparable,
    /// Other values of them.
    Different,
    /// Them without a value.
    Empty,
    /// A change has to name its version.
    NeedsVersion,
    /// A deleted row can be restored.
    IsRestorable,
    /// One request can add several rows.
    TakesMany,
    /// A column by which the database can refuse a row.
    Clashes,
    /// The columns that are unique in a tenant.
    Unique,
    /// The columns that refer to rows or files.
    References,
    /// A file that a reference does not take: an attribute of the reference.
    WrongFiles,
    /// How many rows the free plan allows, and the plans with more.
    PlanLimits,
    /// What is refused without a subscription, and how.
    Closed,
    /// A price that opens it.
    OpenedBy,
    /// A row can be made of nothing else.
    StandsAlone,
    /// The operations that ask for a fresh session.
    Fresh,
    /// The roles that may write.
    Writers,
    /// The roles that may only read.
    Readers,
    /// The roles that may not even read.
    Strangers,
}

impl Fact {
    /// All of them, in the order in which they are told.
    pub const ALL: [Fact; 26] = [
        Fact::Required,
        Fact::Defaults,
        Fact::Invalid,
        Fact::Changes,
        Fact::Filters,
        Fact::OwnFilters,
        Fact::Searched,
        Fact::Sorts,
        Fact::Comparable,
        Fact::Different,
        Fact::Empty,
        Fact::NeedsVersion,
        Fact::IsRestorable,
        Fact::TakesMany,
        Fact::Clashes,
        Fact::Unique,
        Fact::References,
        Fact::WrongFiles,
        Fact::PlanLimits,
        Fact::Closed,
        Fact::OpenedBy,
        Fact::StandsAlone,
        Fact::Fresh,
        Fact::Writers,
        Fact::Readers,
        Fact::Strangers,
    ];

    /// The attribute that holds it.
    #[must_use]
    pub fn attribute(self) -> Name {
        name(match self {
            Fact::Required => "required",
            Fact::Defaults => "defaults",
            Fact::Invalid => "invalid",
            Fact::Changes => "changes",
            Fact::Filters => "filters",
            Fact::OwnFilters => "own_filters",
            Fact::Searched => "searched",
            Fact::Sorts => "sorts",
            Fact::Comparable => "comparable",
            Fact::Different => "different",
            Fact::Empty => "empty",
            Fact::NeedsVersion => "needs_version",
            Fact::IsRestorable => "is_restorable",
            Fact::TakesMany => "takes_many",
            Fact::Clashes => "clashes",
            Fact::Unique => "unique",
            Fact::References => "references",
            Fact::WrongFiles => "wrong_file",
            Fact::PlanLimits => "plan_limits",
            Fact::Closed => "closed",
            Fact::OpenedBy => "opened_by",
            Fact::StandsAlone => "stands_alone",
            Fact::Fresh => "fresh",
            Fact::Writers => "writers",
            Fact::Readers => "readers",
            Fact::Strangers => "strangers",
        })
    }
}

/// The entities of a spec, as their tests see them.
pub struct Entities<'s> {
    /// What their rows cannot be without.
    pub needs: Needs<'s>,
    known: Known,
}

/// What is known of at least one entity.
#[derive(Default)]
struct Known {
    facts: HashSet<Fact>,
    most_rows: u32,
    outcomes: Vec<OnDelete>,
    comes_back: bool,
}

impl<'s> Entities<'s> {
    /// The entities of a spec.
    #[must_use]
    pub fn of(spec: &'s Spec) -> Entities<'s> {
        let needs = Needs::of(spec);
        let add = |known: Known, entity| known.with_entity(&needs, entity);
        let known = spec.entities.par_iter().fold(Known::default, add);
        let known = known.reduce(Known::default, Known::with);
        Entities { needs, known }
    }

    /// Whether there is an entity of which a test knows it.
    #[must_use]
    pub fn know(&self, fact: Fact) -> bool {
        self.known.facts.contains(&fact)
    }

    /// Whether there is an entity of which a test can make so many rows.
    #[must_use]
    pub fn have_room(&self, rows: u32) -> bool {
        self.known.most_rows >= rows
    }

    /// Whether there is an entity with tests.
    #[must_use]
    pub fn are_tested(&self) -> bool {
        self.have_room(1)
    }

    /// Whether there is a reference whose row does that when what it refers to is deleted.
    #[must_use]
    pub fn have(&self, outcome: OnDelete) -> bool {
        self.known.outcomes.contains(&outcome)
    }

    /// Whether there is a reference to something that can be restored, and its row with it.
    #[must_use]
    pub fn come_back(&self) -> bool {
        self.known.comes_back
    }
}

impl Known {
    fn with_entity(mut self, needs: &Needs<'_>, entity: &Entity) -> Known {
        let Some(most) = most_rows(needs, entity) else { return self };
        self.most_rows = self.most_rows.max(most);
        self.facts.extend(facts(needs, entity, most).into_iter().map(|(fact, _)| fact));
        if most >= 3 {
            self.add_references(needs, entity);
        }
        self
    }

    fn add_references(&mut self, needs: &Needs<'_>, entity: &Entity) {
        for (field, to) in references(needs, entity) {
            self.outcomes.push(to.on_delete);
            self.comes_back |= returns(needs.spec, entity, field, to);
            if to.file.as_ref().and_then(foreign_type).is_some() {
                self.facts.insert(Fact::WrongFiles);
            }
        }
    }

    fn with(mut self, other: Known) -> Known {
        self.facts.extend(other.facts);
        self.most_rows = self.most_rows.max(other.most_rows);
        self.outcomes.extend(other.outcomes);
        self.comes_back |= other.comes_back;
        self
    }
}

/// The package, which knows all of them; none where no entity is tested.
#[must_use]
pub fn package(entities: &Entities<'_>) -> Option<Module> {
    let tested = entities.needs.spec.entities.iter();
    let tested = tested.filter(|one| most_rows(&entities.needs, one).is_some()).map(constant_of);
    entities.are_tested().then(|| {
        module("tests.entities").docstring("What the tests know of each entity.").body(block![
            assign(ENTITIES, make::tuple(tested)),
            named_def(entities),
            each_def()
        ])
    })
}

fn named_def(entities: &Entities<'_>) -> FunctionDef {
    names!(value);
    let reference = entities
        .know(Fact::References)
        .then(|| if_(py!(isinstance(value, { entity::Reference })), [return_(py!(value.column))]));
    def(named).params([param(value, object)]).returns(py!(str | None)).body(block![
        docstring("Tell the name of a test what it is about."),
        if_(py!(isinstance(value, { entity::Entity })), [return_(py!(value.path))]),
        reference,
        return_(none())
    ])
}

fn each_def() -> FunctionDef {
    names!(entities);
    let entity = entity::Entity;
    def(each)
        .params([param(entities, py!(Iterable[entity])).default(ENTITIES)])
        .returns(py!(pytest.MarkDecorator))
        .body(block![
            docstring("Run a test on each of some entities, or on every one."),
            return_(py!(pytest.mark.parametrize("entity", list(entities), ids = named)))
        ])
}

/// `PROJECTS` of `tests.entities.projects`
fn constant_of(entity: &Entity) -> Import {
    let names = &entity.names;
    let constant = text::constant(names.plural.as_str()).and_then(|it| Name::parse(&it).ok());
    let constant = constant.unwrap_or(names.plural);
    Import { module: names.test_module, name: Some(constant), ..each }
}

/// The module of an entity; none where the founder of an organization cannot use it.
#[must_use]
pub fn emit(needs: &Needs<'_>, tested: &Entity) -> Option<Module> {
    names!(path, body, create, room);
    let most = most_rows(needs, tested)?;
    let names = &tested.names;
    let facts = facts(needs, tested, most).into_iter().map(|(fact, it)| kw(fact.attribute(), it));
    let title = &names.plural_title;
    let values = [
        kw(path, &*names.path),
        kw(body, factories::body_of(names)),
        kw(create, factories::create(names)),
    ];
    let room = (most < 3).then(|| kw(room, most));
    let values = values.into_iter().chain(room).chain(facts);
    Some(
        module(names.test_module)
            .docstring(format!("{}, as the tests know them.", capitalized(title)))
            .body(block![assign(constant_of(tested), entity::Entity.call(values))]),
    )
}

/// What is known of an entity of which a test can make so many rows.
fn facts(needs: &Needs<'_>, entity: &Entity, most: u32) -> Vec<(Fact, Expr)> {
    let mut facts = Facts(Vec::new());
    of_values(&mut facts, entity, most);
    if most >= 3 {
        of_lists(&mut facts, entity);
    }
    facts.flag(Fact::NeedsVersion, entity.requires_if_match);
    facts.flag(Fact::IsRestorable, entity.soft_delete);
    if most >= 3 {
        of_constraints(&mut facts, needs, entity);
    }
    of_billing(&mut facts, needs, entity);
    facts.texts(Fact::Fresh, fresh(entity));
    of_roles(&mut facts, needs, entity, most);
    facts.0
}

/// What is known so far: nothing that is empty.
struct Facts(Vec<(Fact, Expr)>);

impl Facts {
    fn flag(&mut self, fact: Fact, is_so: bool) {
        if is_so {
            self.0.push((fact, py!(true)));
        }
    }

    fn texts<'t>(&mut self, fact: Fact, texts: impl IntoIterator<Item = &'t str>) {
        self.list(fact, texts.into_iter().map(IntoExpr::into_expr));
    }

    fn list(&mut self, fact: Fact, values: impl IntoIterator<Item = Expr>) {
        let values: Vec<Expr> = values.into_iter().collect();
        if !values.is_empty() {
            self.0.push((fact, make::list(values)));
        }
    }

    fn mapping<'t>(&mut self, fact: Fact, values: impl IntoIterator<Item = (&'t str, Expr)>) {
        let values: Vec<(&str, Expr)> = values.into_iter().collect();
        if !values.is_empty() {
            self.0.push((fact, make::dict(values)));
        }
    }
}

/// What a request may say of a row.
fn of_values(facts: &mut Facts, entity: &Entity, most: u32) {
    names!(organization_id);
    let fields = &entity.fields;
    let (required, others): (Vec<&Field>, Vec<&Field>) =
        fields.iter().partition(|field| is_needed(field));
    facts.texts(Fact::Required, required.into_iter().map(|field| field.column.as_str()));
    let defaults = others.into_iter();
    let defaults =
        defaults.filter_map(|field| Some((field.column.as_str(), shown_default(field)?)));
    facts.mapping(Fact::Defaults, defaults);
    if most >= 2 {
        // Nobody chooses where a row belongs.
        let foreign = (organization_id, py!(str(UUID(int = 7))));
        facts.list(Fact::Invalid, pairs(each_value(invalid, fields).into_iter().chain([foreign])));
    }
    facts.list(Fact::Changes, pairs(each_value(changes, fields)));
}

fn each_value(values: fn(&Field) -> Vec<Expr>, fields: &[Field]) -> Vec<(Name, Expr)> {
    let of_field =
        |field: &Field| values(field).into_iter().map(|value| (field.column, value)).collect();
    fields.iter().flat_map::<Vec<_>, _>(of_field).collect()
}

fn pairs(values: impl IntoIterator<Item = (Name, Expr)>) -> impl Iterator<Item = Expr> {
    values.into_iter().map(|(column, value)| {
        let column = column.as_str();
        py!((column, value))
    })
}

/// How its list is filtered, searched and sorted.
fn of_lists(facts: &mut Facts, entity: &Entity) {
    let (own, others): (Vec<_>, Vec<_>) =
        filters(entity).into_iter().partition(|filter| differs(filter.field()));
    facts.list(
        Fact::Filters,
        others.iter().filter_map(|filter| {
            let column = filter.field().column.as_str();
            let (value, text) = other_value(filter.field())?;
            let query = filter.parameters().into_iter().map(|one| (string(one), string(&text)));
            let query = make::dict(query);
            Some(py!((column, value, query)))
        }),
    );
    facts.list(
        Fact::OwnFilters,
        own.iter().map(|filter| {
            let column = filter.field().column.as_str();
            let parameters = make::list(filter.parameters().into_iter().map(string));
            py!((column, parameters))
        }),
    );
    facts.texts(Fact::Searched, searched(entity).map(|field| field.column.as_str()));
    let sorts = sortable(entity);
    let column = |field: &&Field| field.column.as_str();
    facts.texts(Fact::Sorts, sorts.iter().map(column));
    facts.texts(Fact::Comparable, sorts.iter().filter(|field| compares(field)).map(column));
    let changed = sorts.iter().filter(|field| !field.unique);
    facts.mapping(
        Fact::Different,
        changed.filter_map(|field| Some((column(field), other_value(field)?.0))),
    );
    let missing = sorts.iter().filter(|field| field.optional);
    facts.mapping(Fact::Empty, missing.map(|field| (column(field), none())));
}

/// A value that no row of a factory has, but for null, and the same in a query.
fn other_value(field: &Field) -> Option<(Expr, String)> {
    let value = changes(field).into_iter().next()?;
    let text = in_query(&value)?;
    Some((value, text))
}

fn in_query(value: &Expr) -> Option<String> {
    match value {
        Expr::Constant(constant) => match &constant.value {
            Constant::Str(text) => Some(text.clone()),
            Constant::Int(number) => Some(number.to_string()),
            Constant::Bool(flag) => Some(flag.to_string()),
            _ => None,
        },
        Expr::UnaryOp(unary) if unary.op == UnaryOp::USub => {
            in_query(&unary.operand).map(|number| format!("-{number}"))
        }
        _ => None,
    }
}

/// Whether the field is another one in each row that a factory makes.
fn differs(field: &Field) -> bool {
    field.unique && !is_reference(field) || is_reference(field) && !field.optional
}

fn is_reference(field: &Field) -> bool {
    matches!(field.kind, FieldKind::Reference(_))
}

/// The first field that a search looks into, where it can hold the words of the test.
fn searched(entity: &Entity) -> Option<&Field> {
    let fields = entity.fields.iter().filter(|field| entity.search.contains(&field.name));
    fields.into_iter().find(|field| match &field.kind {
        FieldKind::Text(Text { min_length, max_length, .. }) => {
            (*min_length..=*max_length).contains(&12)
        }
        _ => false,
    })
}

/// Whether values compare in JSON as they do in the database.
fn compares(field: &Field) -> bool {
    matches!(
        field.kind,
        FieldKind::Integer(_)
            | FieldKind::Money(_)
            | FieldKind::Date { .. }
            | FieldKind::DateTime { .. }
    )
}

/// What the database refuses.
fn of_constraints(facts: &mut Facts, needs: &Needs<'_>, entity: &Entity) {
    let fields = &entity.fields;
    if entity.bulk_create {
        facts.flag(Fact::TakesMany, true);
        let clash = fields.iter().find(|field| field.unique || is_reference(field));
        facts.texts(Fact::Clashes, clash.map(|field| field.column.as_str()));
    }
    let unique = fields.iter().filter(|field| field.unique && !is_reference(field));
    facts.texts(Fact::Unique, unique.map(|field| field.column.as_str()));
    facts.list(
        Fact::References,
        references(needs, entity).map(|(field, to)| reference(needs, entity, field, to)),
    );
}

/// The references to rows that the tests can make.
fn references<'e>(
    needs: &Needs<'_>,
    entity: &'e Entity,
) -> impl Iterator<Item = (&'e Field, &'e Reference)> {
    let plan = needs.spec.billing.as_ref().map(starting_plan);
    let is_made = move |reference: &Reference| {
        if reference.file.is_some() {
            return has_room_for_files(plan);
        }
        let target = needs.spec.entity(&reference.to);
        target.and_then(|target| most_rows(needs, target)).is_some_and(|most| most >= 3)
    };
    entity.fields.iter().filter_map(move |field| match &field.kind {
        FieldKind::Reference(reference) if is_made(reference) => Some((field, reference)),
        _ => None,
    })
}

/// `Reference(column="project_id", path="projects", …)`
fn reference(needs: &Needs<'_>, entity: &Entity, field: &Field, to: &Reference) -> Expr {
    names!(column, path, create, on_delete, is_freed, comes_back);
    let target = needs.spec.entity(&to.to);
    // What can be restored needs what it refers to.
    let keeps = entity.soft_delete && !target.is_some_and(|target| target.soft_delete);
    let is_back = returns(needs.spec, entity, field, to);
    let wrong = to.file.as_ref().and_then(foreign_type).map(made_of);
    let made = match &to.file {
        Some(file) => file.types.first().map_or(create_file.into_expr(), |one| made_of(*one)),
        None => factories::create(&to.to).into_expr(),
    };
    let always = [
        kw(column, field.column.as_str()),
        kw(path, &*to.to.path),
        kw(create, made),
        kw(on_delete, outcome(to.on_delete)),
    ];
    let kept = (to.on_delete == OnDelete::Restrict && keeps).then(|| kw(is_freed, false));
    let back = is_back.then(|| kw(comes_back, true));
    let wrong = wrong.map(|wrong| kw(Fact::WrongFiles.attribute(), wrong));
    entity::Reference.call(always.into_iter().chain(kept).chain(back).chain(wrong))
}

/// What a row does when what it refers to is deleted, as the tests say it.
#[must_use]
pub fn outcome(on_delete: OnDelete) -> &'static str {
    match on_delete {
        OnDelete::Cascade => "goes",
        OnDelete::Restrict => "keeps it",
        OnDelete::SetNull => "forgets it",
    }
}

/// Whether what a row needs can be restored, and brings the row back.
fn returns(spec: &Spec, entity: &Entity, field: &Field, to: &Reference) -> bool {
    let target = spec.entity(&to.to);
    let is_other = |target: &&Entity| target.soft_delete && target.names != entity.names;
    to.on_delete == OnDelete::Cascade && !field.optional && target.filter(is_other).is_some()
}

/// `partial(create_file, content_type="image/png", content=b"…")`
fn made_of(file_type: FileType) -> Expr {
    let [content_type, content] = factories::sample_file(file_type);
    py!(partial(create_file, content_type = content_type, content = content))
}

/// A type of files that a field does not take; none where it takes all.
fn foreign_type(file: &File) -> Option<FileType> {
    let is_taken = |one: &FileType| file.types.is_empty() || file.types.contains(one);
    FileType::ALL.into_iter().find(|one| !is_taken(one))
}

/// What a plan and a subscription open.
fn of_billing(facts: &mut Facts, needs: &Needs<'_>, entity: &Entity) {
    let Some(billing) = &needs.spec.billing else { return };
    facts.list(Fact::PlanLimits, plan_limit(needs, entity, billing));
    let refusals = OPERATIONS.into_iter().filter_map(|one| {
        let status = refusal(needs.spec, entity.guards.of(one), billing.free_plan())?;
        Some((word(one), status))
    });
    let refusals: Vec<(&str, u32)> = refusals.collect();
    if refusals.is_empty() {
        return;
    }
    facts.list(
        Fact::Closed,
        refusals.into_iter().map(|(operation, status)| py!((operation, status))),
    );
    facts.texts(Fact::OpenedBy, opening_plan(needs, entity, billing).map(lookup_key));
    facts.flag(Fact::StandsAlone, stands_alone(needs, entity));
}

/// The limit that the first plan sets, where it can be reached, and the plans that allow more.
fn plan_limit(needs: &Needs<'_>, entity: &Entity, billing: &Billing) -> Option<Expr> {
    let counted = Counted::Rows(Box::new(entity.names.clone()));
    let limit = billing.limits.iter().find(|limit| limit.counts == counted)?;
    let free = billing.free_plan();
    let allowed = free.limit(limit.name).filter(|allowed| *allowed <= MOST_ROWS)?;
    let owner = needs.spec.organizations.owner();
    let room = |names| room(needs, names, owner, Some(free), false);
    let has_others = required(entity).all(|other| room(other) > allowed);
    let is_open =
        entity.guards.create.iter().all(|guard| is_met(needs.spec, guard, Some(free), false));
    // As many as the plan allows, unless two rows cannot be there for another reason.
    let is_reached = room(&entity.names) == allowed;
    let allows_more = |plan: &&Plan| plan.limit(limit.name).is_none_or(|most| most > allowed);
    let beyond = billing.plans.iter().filter(allows_more).map(|plan| plan.name.as_str());
    let beyond = make::list(beyond);
    (has_others && is_open && is_reached).then(|| py!((allowed, beyond)))
}

/// What a route answers under a plan without a subscription, if it is closed.
fn refusal(spec: &Spec, guards: &[Guard], plan: &Plan) -> Option<u32> {
    if guards.contains(&Guard::ActiveSubscription) {
        return Some(402);
    }
    (!guards.iter().all(|guard| is_met(spec, guard, Some(plan), false))).then_some(403)
}

/// The first plan with which every route is open and a row can be made.
fn opening_plan<'s>(needs: &Needs<'_>, entity: &Entity, billing: &'s Billing) -> Option<&'s Plan> {
    let owner = needs.spec.organizations.owner();
    let opens = |plan: &Plan| {
        let guards = Operation::ALL.iter().flat_map(|one| entity.guards.of(*one));
        guards.into_iter().all(|guard| is_met(needs.spec, guard, Some(plan), true))
            && room(needs, &entity.names, owner, Some(plan), true) > 0
    };
    paid_plans(billing).into_iter().find(|plan| opens(plan))
}

/// What a test calls an operation.
fn word(operation: Operation) -> &'static str {
    match operation {
        Operation::List => "list",
        Operation::Create => "create",
        Operation::Read => "read",
        Operation::Update => "update",
        Operation::Delete => "delete",
    }
}

/// The operations that ask for a fresh session.
fn fresh(entity: &Entity) -> impl Iterator<Item = &'static str> {
    let is_fresh = |one: &Operation| entity.guards.of(*one).contains(&Guard::FreshSession);
    OPERATIONS.into_iter().filter(is_fresh).map(word)
}

/// What members of each role may do.
fn of_roles(facts: &mut Facts, needs: &Needs<'_>, entity: &Entity, most: u32) {
    if !has_room(needs.spec, 2) {
        return;
    }
    let roles = &needs.spec.organizations.roles[1..];
    let names = |is_wanted: &dyn Fn(&Role) -> bool| -> Vec<&str> {
        roles.iter().filter(|role| is_wanted(role)).map(|role| role.name.as_str()).collect()
    };
    let plan = needs.spec.billing.as_ref().map(starting_plan);
    // Who may not make what a row needs cannot make the row.
    facts.texts(Fact::Writers, names(&|role| may_make(needs, entity, role, plan)));
    if most >= 2 {
        let may_only_read =
            |role: &Role| entity.readers.contains(role) && !entity.writers.contains(role);
        facts.texts(Fact::Readers, names(&may_only_read));
    }
    facts.texts(Fact::Strangers, names(&|role| !entity.readers.contains(role)));
}
