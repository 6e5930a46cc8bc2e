//! `plan.json`: what a regeneration wants to do, file by file, for people and tools to read before it is done.
//!
//! A plan is untrusted input: [`Plan::parse`] refuses one that could do harm before anything is touched, and needs
//! no file system for it.

mod read;
mod schema;

use crate::definitions::DefinitionChange;
use crate::merge::conflict::Conflict;
use crate::{Digest, ProjectPath};
pub use read::NotAPlan;
pub use schema::json_schema;
use serde::{Deserialize, Serialize};

/// The version of the format that this astgen writes.
pub const VERSION: u32 = 1;
/// Where a plan is, relative to the project's folder.
pub const PLAN: &str = "plan.json";
/// Where its conflicts are listed.
pub const CONFLICTS: &str = "conflicts.json";

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of the format.
    #[serde(default = "version")]
    pub version: u32,
    /// The astgen that made it; empty in a plan that something else made.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub generator: String,
    /// The name of the project.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub project: String,
    /// The digest of the resolved spec.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub spec: String,
    /// The digest of all generated paths and their digests, once the whole plan is applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<Digest>,
    /// What is to be done, in the order of the paths.
    pub actions: Vec<Action>,
    /// Files that stay as they are although other text is generated for them now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Settled>,
}

fn version() -> u32 {
    VERSION
}

/// What is done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionType {
    /// It does not exist, and is written.
    Create,
    /// It is still what was generated, and is brought up to date.
    Update,
    /// It was edited, and what is new lands in it.
    Merge,
    /// It was edited, and a person has to decide: it stays, and `<path>.new` shows what clashes.
    Conflict,
    /// It is no longer generated and was not edited.
    Delete,
}

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// What is done.
    #[serde(rename = "type")]
    pub kind: ActionType,
    /// The file.
    pub path: ProjectPath,
    /// Where the file is generated, when people moved it to `path`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_path: Option<ProjectPath>,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The digest of what was generated last, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Digest>,
    /// The digest of the file as the plan saw it; none when there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Digest>,
    /// The digest of what is generated now; none when the file is no longer generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Digest>,
    /// What happens to each definition of a Python file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub definitions: Vec<DefinitionChange>,
    /// What clashes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// The file's new text; of a conflict, in `new_content`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The text of `<path>.new`, with what clashes between git's markers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_content: Option<String>,
    /// What is generated now, where that is not the new text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
}

/// A file that stays as it is although other text is generated for it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Where the file is generated.
    pub path: ProjectPath,
    /// Where people moved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<ProjectPath>,
    /// Why it stays.
    #[serde(default)]
    pub reason: String,
    /// What is generated now; none when the file is no longer generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<String>,
}

impl Plan {
    /// A plan of nothing.
    #[must_use]
    pub fn empty() -> Plan {
        Plan {
            version: VERSION,
            generator: String::new(),
            project: String::new(),
            spec: String::new(),
            tree: None,
            actions: Vec::new(),
            settled: Vec::new(),
        }
    }

    /// The text of `plan.json`.
    #[must_use]
    pub fn text(&self) -> String {
        pretty(self)
    }

    /// The text of `conflicts.json`: each clash, by file and definition.
    #[must_use]
    pub fn conflicts_text(&self) -> String {
        let conflicts = self.of(ActionType::Conflict).map(FileConflicts::of).collect();
        Conflicts { version: VERSION, conflicts }.text()
    }

    /// The actions of one type.
    pub fn of(&self, kind: ActionType) -> impl Iterator<Item = &Action> {
        self.actions.iter().filter(move |action| action.kind == kind)
    }

    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty() && self.settled.is_empty()
    }
}

impl Action {
    /// Where the file is generated.
    #[must_use]
    pub fn origin(&self) -> &ProjectPath {
        self.generated_path.as_ref().unwrap_or(&self.path)
    }

    /// The text that the action brings: for the file, or for `<path>.new` beside it.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let [first, second] = match self.kind {
            ActionType::Conflict => [&self.new_content, &self.content],
            _ => [&self.content, &self.new_content],
        };
        first.as_deref().or(second.as_deref())
    }

    /// What is generated now.
    #[must_use]
    pub fn generated_text(&self) -> Option<&str> {
        self.theirs?;
        self.generated.as_deref().or(self.text())
    }
}

/// `conflicts.json`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflicts {
    /// The version of the format.
    pub version: u32,
    /// The files.
    pub conflicts: Vec<FileConflicts>,
}

impl Conflicts {
    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        pretty(self)
    }
}

/// What clashes in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileConflicts {
    /// The file.
    pub path: ProjectPath,
    /// Where the merged text is, with markers; none when the file is no longer generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// Why the file is in conflict.
    pub reason: String,
    /// Each clash.
    pub clashes: Vec<Conflict>,
}

impl FileConflicts {
    fn of(action: &Action) -> FileConflicts {
        FileConflicts {
            path: action.path.clone(),
            new: action.text().map(|_| format!("{}.new", action.path)),
            reason: action.reason.clone(),
            clashes: action.conflicts.clone(),
        }
    }
}

/// Neither a plan nor its conflicts hold anything that JSON cannot say.
fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
