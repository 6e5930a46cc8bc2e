//! Organizations, the roles in them, and how people join.

use astgen_pyast::Name;
use serde::Serialize;
use std::time::Duration;

/// Organizations: the tenants.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Organizations {
    /// The highest rank first; the first one owns the organization. At least one.
    pub roles: Vec<Role>,
    /// The roles that may invite; highest rank first, at least one.
    pub inviters: Vec<Role>,
    /// How long an invitation can be accepted.
    pub invitation_lifetime: Duration,
    /// Whether everyone gets an organization of their own on registration.
    pub personal: bool,
    /// Whether members can make keys with which programs act in the organization.
    pub api_keys: bool,
}

/// A role that a member has in an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Role {
    /// The stored text: `admin`.
    #[serde(serialize_with = "super::as_text")]
    pub name: Name,
    /// The member of the `Role` enum: `ADMIN`.
    #[serde(serialize_with = "super::as_text")]
    pub constant: Name,
    /// What people read: `Admin`.
    pub title: String,
    /// The place in the ranking: 0 for the owner, growing as the role may do less.
    pub rank: u16,
}

impl Organizations {
    /// The role of who founds an organization.
    ///
    /// # Panics
    /// When `roles` is empty, which no spec that was read is.
    #[must_use]
    pub fn owner(&self) -> &Role {
        &self.roles[0]
    }

    /// The roles that look after an organization: the owner, and those that may invite.
    #[must_use]
    pub fn managers(&self) -> Vec<Role> {
        let manages = |role: &&Role| role.rank == 0 || self.inviters.contains(role);
        self.roles.iter().filter(manages).cloned().collect()
    }

    /// The roles that may change things where the spec does not say which: all but the last, or the only one.
    #[must_use]
    pub fn all_but_lowest(&self) -> &[Role] {
        &self.roles[..self.roles.len().saturating_sub(1).max(1)]
    }

    /// The role with the least rights.
    ///
    /// # Panics
    /// When `roles` is empty, which no spec that was read is.
    #[must_use]
    pub fn lowest(&self) -> &Role {
        &self.roles[self.roles.len() - 1]
    }

    /// The role with this name.
    #[must_use]
    pub fn role(&self, name: Name) -> Option<&Role> {
        self.roles.iter().find(|role| role.name == name)
    }
}
