//! What stands before a route.

use astgen_pyast::Name;
use serde::Serialize;
use std::time::Duration;

/// A condition that a request meets before its route runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Guard {
    /// The payer has a subscription that gives access.
    ActiveSubscription,
    /// The payer's plan has this feature.
    Feature(#[serde(serialize_with = "super::as_text")] Name),
    /// This flag is on for the payer.
    Flag(#[serde(serialize_with = "super::as_text")] Name),
    /// The payer's plan allows one more of this limit. Only on [`Operation::Create`].
    Limit(#[serde(serialize_with = "super::as_text")] Name),
    /// The user proved who they are a short time ago.
    FreshSession,
    /// So many requests in a time.
    RateLimit {
        /// The most requests in one period.
        count: u32,
        /// The period.
        per: Duration,
    },
}

/// One of an entity's routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Operation {
    /// `GET /projects`.
    List,
    /// `GET /projects/{project_id}`.
    Read,
    /// `POST /projects`.
    Create,
    /// `PATCH /projects/{project_id}`.
    Update,
    /// `DELETE /projects/{project_id}`.
    Delete,
}

impl Operation {
    /// Every operation, in the order of a router.
    pub const ALL: [Operation; 5] =
        [Operation::List, Operation::Read, Operation::Create, Operation::Update, Operation::Delete];

    /// The key in a spec: `create`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Operation::List => "list",
            Operation::Read => "read",
            Operation::Create => "create",
            Operation::Update => "update",
            Operation::Delete => "delete",
        }
    }

    /// Whether the operation leaves everything as it was.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, Operation::List | Operation::Read)
    }
}

/// The guards of each of an entity's routes, in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Guards {
    /// Before [`Operation::List`].
    pub list: Vec<Guard>,
    /// Before [`Operation::Read`].
    pub read: Vec<Guard>,
    /// Before [`Operation::Create`].
    pub create: Vec<Guard>,
    /// Before [`Operation::Update`].
    pub update: Vec<Guard>,
    /// Before [`Operation::Delete`].
    pub delete: Vec<Guard>,
}

impl Guards {
    /// The guards before one operation.
    #[must_use]
    pub fn of(&self, operation: Operation) -> &[Guard] {
        match operation {
            Operation::List => &self.list,
            Operation::Read => &self.read,
            Operation::Create => &self.create,
            Operation::Update => &self.update,
            Operation::Delete => &self.delete,
        }
    }

    /// The same, to be added to.
    pub fn of_mut(&mut self, operation: Operation) -> &mut Vec<Guard> {
        match operation {
            Operation::List => &mut self.list,
            Operation::Read => &mut self.read,
            Operation::Create => &mut self.create,
            Operation::Update => &mut self.update,
            Operation::Delete => &mut self.delete,
        }
    }
}
