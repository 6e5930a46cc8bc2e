//! `backend/migrations/versions/0002_….py` and the later ones: what a changed spec asks of the tables.
//!
//! The order is that in which the databases take it: keys go before the tables that they point at, tables come
//! before the keys that point at them, and a column that must have a value is filled before it must.

use super::difference::{Change, Difference};
use super::foreign_key::ForeignKey;
use super::helpers::{
    every_tenant, every_tenant_def, expose_tenants, expose_tenants_def, fill, fill_def,
    isolate_entries_def, isolate_tenants_def, isolation, keep_entries, keep_entries_def, require,
    require_def, stop_until_reviewed, stop_until_reviewed_def,
};
use super::schema::Schema;
use super::sql::identifier;
use super::table::{Column, Table};
use crate::python::sqlalchemy::{op, sa};
use crate::wording::capitalized;
use crate::{Content, Generated};
use astgen_pyast::prelude::*;
use sha2::{Digest, Sha256};

/// Where revisions are, relative to the project's folder.
pub const VERSIONS: &str = "backend/migrations/versions/";

/// The most characters of a revision's name beside its number and digest.
const SLUG_LENGTH: usize = 40;

/// The revision that makes one schema of another.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// The file.
    pub file: Generated,
    /// What it does, a phrase each.
    pub changes: Vec<String>,
    /// What it loses, a sentence each: with one, it stops until a person has read it.
    pub losses: Vec<String>,
}

/// The revision that makes the schema `after` of the schema `before`; `None` when they are the same.
///
/// It comes after the revisions `parents`, and is the `number`th.
///
/// ```
/// use astgen_emitters::{Schema, later_revision, spec};
/// let schema = |entities: &str| {
///     let spec = format!("[project]\nname = \"notes\"\n{entities}");
///     Schema::of(&spec::read(&spec, "astgen.toml").unwrap())
/// };
/// let (before, after) = (schema(""), schema("[entities.note]\nfields.x = { type = \"text\" }\n"));
/// let revision = later_revision(&before, &after, &["0001".to_owned()], 2).unwrap();
/// assert!(revision.file.path.starts_with("backend/migrations/versions/0002_"));
/// assert!(revision.changes.contains(&"create notes".to_owned()));
/// assert!(later_revision(&before, &before, &["0001".to_owned()], 2).is_none());
/// ```
#[must_use]
pub fn later_revision(
    before: &Schema,
    after: &Schema,
    parents: &[String],
    number: u32,
) -> Option<Revision> {
    let upward = Difference::between(before, after);
    let downward = Difference::between(after, before);
    let (changes, losses) = (upward.phrases(), upward.losses());
    let first = changes.first()?;
    let digest = digest(before, after, parents);
    let id = format!("{number:04}_{digest}");
    let title = match changes.len() {
        1 => capitalized(first),
        _ => format!("{} and more", capitalized(first)),
    };
    let path = format!("{VERSIONS}{id}_{}.py", slug(&title));
    let content = Content::Python(module_of(&id, &title, parents, &upward, &downward, &losses));
    Some(Revision { file: Generated { path, content }, changes, losses })
}

/// Two branches that ask for different changes make revisions of different names.
fn digest(before: &Schema, after: &Schema, parents: &[String]) -> String {
    let mut hash = Sha256::new();
    [before.text(), after.text(), parents.join(" ")].iter().for_each(|text| hash.update(text));
    hash.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn slug(title: &str) -> String {
    let words = title.to_lowercase().replace([' ', '.'], "_");
    words.chars().take(SLUG_LENGTH).collect::<String>().trim_end_matches('_').to_owned()
}

fn module_of(
    id: &str,
    title: &str,
    parents: &[String],
    upward: &Difference<'_>,
    downward: &Difference<'_>,
    losses: &[String],
) -> Module {
    names!(revision, down_revision, branch_labels, depends_on, LOSSES, IS_REVIEWED);
    let parent = match parents {
        [] => none(),
        [parent] => string(parent.as_str()),
        parents => tuple(parents.iter().map(String::as_str)),
    };
    let has_losses = !losses.is_empty();
    let losses = tuple(losses.iter().map(String::as_str));
    let steps = [upward, downward].map(steps);
    let created = upward.created.iter().chain(&downward.created).map(|table| table.definition());
    let has = |kind: Need| steps.iter().any(|steps| steps.needs.contains(&kind));
    let needs_rows = has(Need::Fill) || has(Need::Require);
    let helpers = block![
        has_losses.then(stop_until_reviewed_def),
        created.collect::<Vec<_>>(),
        has(Need::Fill).then(fill_def),
        has(Need::Require).then(require_def),
        needs_rows.then(every_tenant_def),
        has(Need::Isolate).then(isolate_tenants_def),
        has(Need::IsolateEntries).then(isolate_entries_def),
        has(Need::Keep).then(keep_entries_def),
        has(Need::Expose).then(expose_tenants_def)
    ];
    let [up, down] = steps;
    module("migrations.versions.later").docstring(format!("{title}.")).body(block![
        assign(revision, id),
        assign(down_revision, parent),
        assign(branch_labels, none()),
        assign(depends_on, none()),
        has_losses.then(|| {
            [
                assign(LOSSES, losses)
                    .comment("What cannot be taken back. Keep elsewhere what you need of it, or change the")
                    .comment("statements below so that it is not lost; then set IS_REVIEWED to True.")
                    .paragraph(),
                assign(IS_REVIEWED, false),
            ]
        }),
        def("upgrade").returns(none()).body(block![
            docstring("Make the tables what the models are now."),
            has_losses.then(|| do_(py!(stop_until_reviewed()))),
            up.statements
        ]),
        def("downgrade").returns(none()).body(block![
            docstring("Make the tables what they were before."),
            down.statements
        ]),
        helpers
    ])
}

/// A helper that a revision wants beside its two functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Fill,
    Require,
    Isolate,
    IsolateEntries,
    Keep,
    Expose,
}

/// The statements of a direction, and the helpers that they call.
#[derive(Debug, Default)]
struct Steps {
    statements: Vec<Stmt>,
    needs: Vec<Need>,
}

fn steps(difference: &Difference<'_>) -> Steps {
    let mut steps = Steps::default();
    steps.drop_keys(difference);
    for table in &difference.dropped {
        let name = table.name.as_str();
        steps.statements.push(do_(py!(op.drop_table(name))));
    }
    for change in &difference.changed {
        steps.change(change);
    }
    for table in &difference.created {
        let function = table.function();
        steps.statements.push(do_(py!(function())));
        steps.needs.extend(table.is_final.then_some(Need::Keep));
    }
    steps.add_keys(difference);
    steps.wall(difference);
    steps
}

impl Steps {
    fn drop_keys(&mut self, difference: &Difference<'_>) {
        for change in &difference.changed {
            self.batch(change.before, |batch| {
                change.dropped_keys().map(|key| key.removal(batch)).collect()
            });
        }
        for table in &difference.dropped {
            self.batch(table, |batch| {
                table.deferred_keys().map(|key| key.removal(batch)).collect()
            });
        }
    }

    fn add_keys(&mut self, difference: &Difference<'_>) {
        for change in &difference.changed {
            self.batch(change.after, |batch| {
                change.added_keys().map(|key| key.addition(batch)).collect()
            });
        }
        for table in &difference.created {
            self.batch(table, |batch| {
                table.deferred_keys().map(|key| key.addition(batch)).collect()
            });
        }
    }

    fn change(&mut self, change: &Change<'_>) {
        let table = change.after.name.as_str();
        let dropped = change.dropped_indexes().map(|index| index.removal(table));
        self.statements.extend(dropped);
        self.batch(change.after, |batch| {
            let unique = change.dropped_unique().map(|columns| {
                let name = change.before.unique_name(columns);
                do_(py!(batch.drop_constraint(name, type_ = "unique")))
            });
            let columns = change.dropped_columns().map(|column| {
                let column = column.name.as_str();
                do_(py!(batch.drop_column(column)))
            });
            let added = change.added_columns().map(|column| addition(batch, column));
            let altered = change
                .altered_columns()
                .filter_map(|(before, after)| alteration(batch, before, after));
            unique.chain(columns).chain(added).chain(altered).collect()
        });
        self.fill(change);
        self.batch(change.after, |batch| {
            let must = must_have_value(change).map(|(column, _)| requirement(batch, column));
            let unique = change.added_unique().map(|columns| {
                let name = change.after.unique_name(columns);
                let columns = list(columns.iter().map(String::as_str));
                do_(py!(batch.create_unique_constraint(name, columns)))
            });
            must.chain(unique).collect()
        });
        self.statements.extend(change.added_indexes().map(|index| index.creation(table)));
        if change.after.is_final {
            // SQLite has dropped the triggers with the table that it has copied.
            self.statements.push(do_(py!(keep_entries(table))));
            self.needs.push(Need::Keep);
        }
    }

    /// Gives values to the rows that are there, or stops where nobody said which.
    fn fill(&mut self, change: &Change<'_>) {
        let table = change.after.name.as_str();
        let mut statements = Vec::new();
        for (column, backfill) in must_have_value(change) {
            let name = column.name.as_str();
            match backfill {
                Some(value) => {
                    self.needs.push(Need::Fill);
                    statements.push(do_(py!(fill(table, name, value))));
                }
                None => {
                    self.needs.push(Need::Require);
                    statements.push(do_(py!(require(table, name))));
                }
            }
        }
        if statements.is_empty() {
            return;
        }
        match change.before.is_isolated {
            true => {
                let table = identifier(table);
                self.statements.extend(block![with(py!(every_tenant(table)), statements)]);
                self.needs.push(Need::Require);
            }
            false => self.statements.extend(statements),
        }
    }

    fn wall(&mut self, difference: &Difference<'_>) {
        let created = difference.created.iter().copied().filter(|table| table.is_isolated);
        let changed = difference.changed.iter();
        let walled = changed.clone().filter(|it| !it.before.is_isolated && it.after.is_isolated);
        let opened = changed.filter(|it| it.before.is_isolated && !it.after.is_isolated);
        let mut statements = Vec::new();
        for table in walled.map(|change| change.after).chain(created) {
            self.needs.push(if table.is_final { Need::IsolateEntries } else { Need::Isolate });
            statements.push(isolation(table));
        }
        for change in opened {
            let table = identifier(change.after.name.as_str());
            self.needs.push(Need::Expose);
            statements.push(do_(py!(expose_tenants(table))));
        }
        if !statements.is_empty() {
            let test = py!(op.get_context().dialect.name == "postgresql");
            self.statements.extend(block![if_(test, statements)]);
        }
    }

    /// `with op.batch_alter_table(…)`, because SQLite has to copy a table for most changes.
    fn batch(&mut self, table: &Table, body: impl FnOnce(Name) -> Vec<Stmt>) {
        names!(batch);
        let (name, body) = (table.name.as_str(), body(batch));
        if !body.is_empty() {
            self.statements.extend(block![with_as(py!(op.batch_alter_table(name)), batch, body)]);
        }
    }
}

/// The columns that get rows to fill: new ones without a value for them, and those that could be null before.
fn must_have_value<'c>(change: &'c Change<'_>) -> impl Iterator<Item = (&'c Column, Option<Expr>)> {
    let added = change.added_columns().filter(|column| !column.is_optional);
    let added = added.filter(|column| column.backfill.is_none()).map(|column| (column, None));
    let altered =
        change.altered_columns().filter(|(one, other)| one.is_optional && !other.is_optional);
    let altered =
        altered.map(|(_, column)| (column, column.backfill.as_ref().map(|value| value.expr())));
    added.chain(altered)
}

/// A column that must have a value has it from the database, also for an application that is still the old one.
fn addition(batch: Name, column: &Column) -> Stmt {
    let (name, kind) = (column.name.as_str(), column.kind.expr());
    let default = column.backfill.as_ref().filter(|_| !column.is_optional);
    let is_optional = column.is_optional || default.is_none();
    let default = default.map(|value| kw("server_default", value.expr()));
    let column = py!(sa.Column(name, kind, nullable = is_optional, ..default));
    do_(py!(batch.add_column(column)))
}

/// What changes before rows are filled: the type, and whether a row may be without a value.
fn alteration(batch: Name, before: &Column, after: &Column) -> Option<Stmt> {
    let is_other_kind = before.kind != after.kind;
    let may_be_null = after.is_optional && !before.is_optional;
    if !is_other_kind && !may_be_null {
        return None;
    }
    let name = before.name.as_str();
    let mut options = vec![kw("existing_type", before.kind.expr())];
    options.push(kw("existing_nullable", before.is_optional));
    if is_other_kind {
        options.push(kw("type_", after.kind.expr()));
    }
    if is_other_kind && !before.kind.widens_to(after.kind) {
        options.push(kw("postgresql_using", format!("{}::{}", identifier(name), after.kind.sql())));
    }
    if may_be_null {
        options.push(kw("nullable", true));
    }
    Some(do_(py!(batch.alter_column(name, ..options))))
}

fn requirement(batch: Name, column: &Column) -> Stmt {
    let (name, kind) = (column.name.as_str(), column.kind.expr());
    do_(py!(batch.alter_column(name, existing_type = kind, nullable = false)))
}

impl ForeignKey {
    /// Whether the database has the same key, whenever it was added.
    #[must_use]
    pub fn is_same(&self, other: &ForeignKey) -> bool {
        let ForeignKey { table, columns, target, target_columns, on_delete, is_late, .. } = self;
        (table, columns, target, target_columns, on_delete, is_late)
            == (
                &other.table,
                &other.columns,
                &other.target,
                &other.target_columns,
                &other.on_delete,
                &other.is_late,
            )
    }
}
