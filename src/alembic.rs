//! What changed tables ask of a person who uses Alembic: to read the migration that the plan brings, or, where
//! astgen does not know which tables the migrations made so far, to make one.

use crate::definitions::{Change, DefinitionChange};
use crate::disk::Root;
use crate::outline::Kind;
use crate::plan::{Action, ActionType, Plan};
use astgen_emitters::{SCHEMA, is_revision};
use std::fmt;
use std::path::Path;

/// Where Alembic is set up in a project.
const ENVIRONMENT: &str = "backend/migrations/env.py";
/// Where the models are.
const MODELS: &str = "backend/app/models/";

/// A migration that a plan brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// Where it is, relative to the project's folder.
    pub path: String,
    /// Whether it loses data, and so stops until somebody has read it.
    pub stops: bool,
}

/// The migration that `plan` brings, if it does.
#[must_use]
pub fn brought(plan: &Plan) -> Option<Brought> {
    let mut created = plan.of(ActionType::Create);
    let action = created.find(|action| is_revision(action.path.as_str()))?;
    let stops = action.text().is_some_and(|text| text.contains("\nIS_REVIEWED = False\n"));
    Some(Brought { path: action.path.to_string(), stops })
}

impl fmt::Display for Brought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the tables change, and the plan brings the migration: read {}", self.path)?;
        if self.stops {
            write!(f, "\nit loses data: it stops until somebody sets IS_REVIEWED in it")?;
        }
        Ok(())
    }
}

/// A migration that a plan asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// What the plan does to tables, a phrase each.
    pub changes: Vec<String>,
    /// The command that makes the migration, once the plan is applied.
    pub command: String,
    /// Whether there is a new table, which a rule of row-level security must be written for.
    has_new_table: bool,
}

/// The migration that `plan` asks for; `None` when the project does not use Alembic, no table changes, or the
/// plan brings the migration.
#[must_use]
pub fn revision(root: &Root, plan: &Plan) -> Option<Revision> {
    if !root.exists(ENVIRONMENT.as_ref()) || is_known(root, plan) {
        return None;
    }
    let models = plan.actions.iter().filter(|action| action.path.as_str().starts_with(MODELS));
    let changes: Vec<(bool, String)> = models.flat_map(table_changes).collect();
    let message = match &changes[..] {
        [] => return None,
        [(_, only)] => message(only),
        [(_, first), ..] => format!("{} and more", message(first)),
    };
    let backend = root.path().join("backend");
    Some(Revision {
        has_new_table: changes.iter().any(|(is_new_table, _)| *is_new_table),
        changes: changes.into_iter().map(|(_, change)| change).collect(),
        command: format!(
            "cd {} && alembic revision --autogenerate -m '{message}'",
            quoted(&backend)
        ),
    })
}

/// Whether astgen knows which tables the migrations made so far.
fn is_known(root: &Root, plan: &Plan) -> bool {
    let is_new = plan.of(ActionType::Create).any(|action| action.path.as_str() == SCHEMA);
    root.exists(SCHEMA.as_ref()) && !is_new
}

fn table_changes(action: &Action) -> Vec<(bool, String)> {
    let changes = action.definitions.iter().filter_map(|it| change(action.kind, it));
    match action.kind {
        // The columns of a table that comes or goes say nothing more.
        ActionType::Create | ActionType::Delete => {
            let tables = action.definitions.iter().filter(|it| is_table(action, it));
            tables.map(|it| (action.kind == ActionType::Create, phrase("table", it))).collect()
        }
        ActionType::Update | ActionType::Merge | ActionType::Conflict => {
            changes.map(|change| (false, change)).collect()
        }
    }
}

fn is_table(action: &Action, it: &DefinitionChange) -> bool {
    let table = format!("{}.__tablename__", it.definition);
    it.kind == Kind::Class && action.definitions.iter().any(|other| other.definition == table)
}

fn change(kind: ActionType, it: &DefinitionChange) -> Option<String> {
    let is_constraint = it.definition.ends_with(".__table_args__");
    let is_column = it.kind == Kind::Column;
    let is_change = it.change != Change::Kept && kind != ActionType::Create;
    match (is_change, is_column, is_constraint) {
        (true, true, _) => Some(phrase("column", it)),
        (true, _, true) => Some(phrase("constraints", it)),
        _ => None,
    }
}

fn phrase(word: &str, it: &DefinitionChange) -> String {
    let name = it.definition.trim_end_matches(".__table_args__");
    // Whoever ends a conflict decides which change it is.
    let change = if it.change == Change::Clash { Change::Changed } else { it.change };
    format!("{word} {name} {change}")
}

/// A message that needs no quoting.
fn message(change: &str) -> String {
    change.chars().filter(|char| char.is_ascii_alphanumeric() || " ._".contains(*char)).collect()
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "/._-".contains(char);
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the models change: {}", self.changes.join(", "))?;
        writeln!(f, "once the plan is applied, make a migration, read it, and commit it:")?;
        write!(f, "  {}", self.command)?;
        if self.has_new_table {
            write!(
                f,
                "\nAlembic sees no row-level security: give each new table of an organization its rule as \
                 0001_initial.py does"
            )?;
        }
        Ok(())
    }
}
