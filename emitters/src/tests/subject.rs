//! The rows on which the tests of tenancy work: of an entity that needs no other one.

use crate::entity_names::{enumeration, joined};
use crate::models::package::Organization;
use crate::python::standard::{Decimal, UTC, date, datetime, uuid4};
use crate::spec::{Entity, EntityNames, EnumValue, Field, FieldKind, JsonDefault, Spec, Text};
use crate::tests::border::border;
use crate::tests::casting::target;
use crate::tests::factories::plain_text;
use crate::wording::{capitalized, indefinite, noun};
use astgen_pyast::prelude::*;

/// What the tests say of the entity that they work on.
pub struct Subject<'a> {
    entity: &'a Entity,
    /// What people read: `project`.
    pub noun: String,
    /// `Project`
    pub model: Import,
    /// The attribute that holds a text: `name`.
    pub words: Name,
    /// What people read for that: `name`.
    words_title: String,
    /// A variable for a row: `project`.
    pub row: Name,
    /// The field of `Border` with the key of our row: `our_project`.
    pub our_row: Name,
    /// The field of `Border` with the key of their row: `their_project`.
    pub their_row: Name,
    /// `projects`
    pub table: &'a str,
}

/// The model, as the package of all models exports it.
#[must_use]
pub fn model_of(names: &EntityNames) -> Import {
    Import { name: Some(names.class), ..Organization }
}

/// The first entity with a text of which rows can be made with plain values.
#[must_use]
pub fn subject(spec: &Spec) -> Option<Subject<'_>> {
    spec.entities.iter().find_map(|entity| {
        let text = entity.fields.iter().find(|field| can_hold_any_words(entity, field))?;
        let others = entity.fields.iter().filter(|field| field.name != text.name);
        let is_plain = others
            .filter(|field| is_needed(field))
            .all(|field| !field.unique && !matches!(field.kind, FieldKind::Reference(_)));
        is_plain.then(|| subject_of(entity, text))
    })
}

fn subject_of<'a>(entity: &'a Entity, text: &Field) -> Subject<'a> {
    let name = entity.names.name;
    // The tests have variables of these names already.
    let is_taken = ["border", "database"].contains(&name.as_str());
    Subject {
        entity,
        noun: noun(&entity.names.title),
        model: model_of(&entity.names),
        words: text.column,
        words_title: noun(&text.title),
        row: if is_taken { joined("one", name) } else { name },
        our_row: joined("our", name),
        their_row: joined("their", name),
        table: &entity.names.table,
    }
}

/// Whether a field can hold all that the tests write, the entity's name among it.
fn can_hold_any_words(entity: &Entity, field: &Field) -> bool {
    let longest = entity.names.title.len().max("smuggled".len()) + "an ".len();
    matches!(&field.kind, FieldKind::Text(Text { max_length, .. })
        if !field.optional && *max_length as usize >= longest)
}

/// Whether a row cannot be made without naming a value for the field.
#[must_use]
pub fn is_needed(field: &Field) -> bool {
    !field.optional && !field.has_default()
}

impl Subject<'_> {
    /// `project`, as events call it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.entity.names.name.as_str()
    }

    /// `a project`, or at the start of a sentence `A project`.
    #[must_use]
    pub fn a_row(&self, begins_sentence: bool) -> String {
        let row = indefinite(&self.noun);
        if begins_sentence { capitalized(&row) } else { row }
    }

    /// What `Border` is.
    #[must_use]
    pub fn both(&self) -> String {
        format!("Two tenants with {} of the same {} each.", self.a_row(false), self.words_title)
    }

    /// `border.our_project`
    #[must_use]
    pub fn ours(&self) -> Expr {
        border.attr(self.our_row)
    }

    /// `border.their_project`
    #[must_use]
    pub fn theirs(&self) -> Expr {
        border.attr(self.their_row)
    }

    /// `SELECT id FROM projects`
    #[must_use]
    pub fn select_ids(&self) -> String {
        format!("SELECT id FROM {}", self.table)
    }

    /// `name="new"`, and all else that a row needs.
    #[must_use]
    pub fn values(&self, words: impl IntoExpr) -> Vec<Arg> {
        let others = self.entity.fields.iter().filter(|field| field.column != self.words);
        let others = others.filter(|field| is_needed(field));
        let others = others.map(|field| kw(field.column, plain_value(self.entity, field)));
        [kw(self.words, words)].into_iter().chain(others).collect()
    }

    /// `Project(name="new")`
    #[must_use]
    pub fn made(&self, words: impl IntoExpr) -> Expr {
        self.model.call(self.values(words))
    }
}

/// `Task(project_id=border.their_project, title="a task")`: a row of the first entity that cannot be
/// without a row of the subject, and of nothing else.
#[must_use]
pub fn child_of(spec: &Spec, subject: &Subject<'_>) -> Option<Expr> {
    let parent = &subject.entity.names;
    let child = spec.entities.iter().find(|entity| {
        let mut targets = entity.fields.iter().filter(|field| is_needed(field)).filter_map(target);
        targets.next().is_some_and(|to| to == parent) && targets.next().is_none()
    })?;
    let needed = child.fields.iter().filter(|field| is_needed(field));
    let values = needed.map(|field| match target(field) {
        Some(_) => kw(field.column, subject.theirs()),
        None => kw(field.column, plain_value(child, field)),
    });
    Some(model_of(&child.names).call(values))
}

/// A value of a field, as a model has it.
fn plain_value(entity: &Entity, field: &Field) -> Expr {
    match &field.kind {
        FieldKind::Text(text) => plain_text(&indefinite(&noun(&entity.names.title)), text),
        FieldKind::Integer(integer) => py!({ 1_i64.clamp(integer.minimum, integer.maximum) }),
        FieldKind::Money(money) => py!({ 1_i64.clamp(money.minimum, money.maximum) }),
        FieldKind::Decimal(_) => py!(Decimal(0)),
        FieldKind::Boolean { .. } => py!(false),
        FieldKind::Date { .. } => py!(date(2026, 1, 31)),
        FieldKind::DateTime { .. } => py!(datetime(2026, 1, 31, 12, tzinfo = UTC)),
        FieldKind::Enum(choice) => {
            let member =
                |value: &EnumValue| enumeration(&entity.names, choice).attr(value.constant);
            choice.values.first().map_or_else(none, member)
        }
        FieldKind::Json { default: Some(JsonDefault::Array) } => py!([]),
        FieldKind::Json { .. } => py!(dict!()),
        FieldKind::Uuid => py!(uuid4()),
        FieldKind::Email => string("somebody@example.com"),
        FieldKind::Url { .. } => string("https://example.com/a-page"),
        // It is not made of plain values.
        FieldKind::Reference(_) => none(),
    }
}
