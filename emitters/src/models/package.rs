//! `backend/app/models/__init__.py`: the tables.

use crate::models::{
    base, billing_event, email, invitation, job, membership, organization, refresh_token, session,
    user,
};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models": AuthSession, BillingEvent, Email, EmailSuppression, Invitation, Job, Membership,
        Organization, RefreshToken, User;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec, entities: impl IntoIterator<Item = Import>) -> Module {
    module("app.models")
        .docstring("The tables. Importing this package registers every one of them.")
        .exports([
            base::Base,
            email::Email,
            email::EmailSuppression,
            invitation::Invitation,
            job::Job,
            membership::Membership,
            organization::Organization,
            refresh_token::RefreshToken,
            session::AuthSession,
            user::User,
        ])
        .exports(spec.billing.iter().map(|_| billing_event::BillingEvent))
        .exports(entities)
}
