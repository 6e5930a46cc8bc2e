//! The spec: `astgen.toml` as checked, resolved values.
//!
//! Emitters see [`Spec`] and what is below it, and nothing of the file: every default is filled in,
//! every name is a Python identifier, every reference points at an entity that exists.

pub mod project;

pub mod auth;
pub mod organizations;
pub mod tenancy;

pub mod billing;

pub mod entity;
pub mod field;
pub mod guard;

pub mod deploy;
pub mod email;
pub mod jobs;
pub mod observability;
pub mod storage;
pub mod webhooks;

pub mod currency;
pub mod database;
pub mod error;
pub mod reserved;
pub mod text;

mod digest;
mod read;
mod relations;
mod starter;

pub use auth::{Auth, AuthMode, PasswordRules, Totp};
pub use billing::{
    Billing, BillingProvider, Counted, Currency, Feature, Flag, Interval, Limit, Payer, Plan,
    PlanLimit, Price, PriceUnit, STORAGE_LIMIT, Trial, TrialStart, WithoutCard,
};
pub use deploy::{Deploy, DeployTarget};
pub use digest::digest;
pub use email::{Email, EmailBackend};
pub use entity::{Entity, EntityNames};
pub use error::{Place, Problem, SpecError, SpecErrors};
pub use field::{
    DateDefault, DateTimeDefault, Decimal, Enum, EnumValue, Field, FieldKind, File, Integer,
    JsonDefault, Money, OnDelete, Reference, Text,
};
pub use guard::{Guard, Guards, Operation};
pub use jobs::{Jobs, JobsBackend};
pub use observability::{LogFile, MetricsAccess, Observability};
pub use organizations::{Organizations, Role};
pub use project::{Project, PythonVersion};
pub use read::{MAX_BYTES, read, schema as json_schema};
pub use relations::{FieldPlace, Relations};
pub use starter::starter;
pub use storage::{FileType, Storage, StorageBackend};
pub use tenancy::Tenancy;
pub use webhooks::Webhooks;

use astgen_pyast::Name;
use serde::{Serialize, Serializer};

/// Everything that decides what is generated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spec {
    /// What the product is called.
    pub project: Project,
    /// How people prove who they are.
    pub auth: Auth,
    /// Organizations, roles and invitations.
    pub organizations: Organizations,
    /// How tenants are kept apart.
    pub tenancy: Tenancy,
    /// Plans and payment; `None` when the product has none.
    pub billing: Option<Billing>,
    /// The entities, in the order of the file.
    pub entities: Vec<Entity>,
    /// Places in `entities`, such that a table comes after those it points at.
    pub creation_order: Vec<usize>,
    /// Who points at whom. All of it follows from `entities`.
    #[serde(skip)]
    pub relations: Relations,
    /// The characters of the longest text that an enum of the spec stores: a value of a field, a role, a plan. It
    /// follows from the rest too.
    #[serde(skip)]
    pub longest_choice: usize,
    /// Where files are kept.
    pub storage: Storage,
    /// How mail leaves.
    pub email: Email,
    /// Where work runs in the background.
    pub jobs: Jobs,
    /// What other programs are told. What is off changes no digest of a spec that was there before it.
    #[serde(skip_serializing_if = "Webhooks::is_off")]
    pub webhooks: Webhooks,
    /// How the product is watched.
    pub observability: Observability,
    /// Where the product runs.
    pub deploy: Deploy,
}

impl Spec {
    /// The entities in the order in which their tables can be made.
    pub fn in_creation_order(&self) -> impl DoubleEndedIterator<Item = &Entity> {
        self.creation_order.iter().map(|&place| &self.entities[place])
    }

    /// The entity of these names; none for what is no entity, as stored files are.
    #[must_use]
    pub fn entity(&self, names: &EntityNames) -> Option<&Entity> {
        self.relations.places.get(&names.name).map(|&place| &self.entities[place])
    }

    /// Whether rows of any entity can be restored once they are deleted.
    #[must_use]
    pub fn has_soft_delete(&self) -> bool {
        self.entities.iter().any(|entity| entity.soft_delete)
    }

    /// Whether subscriptions belong to this kind of payer.
    #[must_use]
    pub fn has_payer(&self, payer: Payer) -> bool {
        self.billing.as_ref().is_some_and(|billing| billing.payer == payer)
    }
}

fn as_text<S: Serializer>(name: &Name, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name.as_str())
}

fn as_optional_text<S: Serializer>(name: &Option<Name>, serializer: S) -> Result<S::Ok, S::Error> {
    name.map(Name::as_str).serialize(serializer)
}

fn as_texts<S: Serializer>(names: &[Name], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(names.iter().map(|name| name.as_str()))
}

#[cfg(test)]
mod tests;
