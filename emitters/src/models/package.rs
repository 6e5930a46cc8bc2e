//! `backend/app/models/__init__.py`: the tables.

use crate::models::base::Base;
use crate::models::billing_event::BillingEvent;
use crate::models::invitation::Invitation;
use crate::models::membership::Membership;
use crate::models::organization::Organization;
use crate::models::user::User;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

/// The module.
#[must_use]
pub fn emit(spec: &Spec, entities: impl IntoIterator<Item = Import>) -> Module {
    module("app.models")
        .docstring("The tables. Importing this package registers every one of them.")
        .exports([Base, Invitation, Membership, Organization, User])
        .exports(spec.billing.iter().map(|_| BillingEvent))
        .exports(entities)
}
