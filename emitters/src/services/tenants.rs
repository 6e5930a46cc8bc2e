//! `backend/app/services/tenants.py`: work that goes through all tenants, one by one.

use crate::core::database::Database;
use crate::models::organization::Organization;
use crate::python::sqlalchemy::select;
use crate::python::standard::{Sequence, UUID};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.tenants": every_tenant;
}

/// Whether there is work that goes through all tenants.
#[must_use]
pub fn is_used(spec: &Spec) -> bool {
    spec.storage.is_on() || spec.webhooks.enabled || spec.has_soft_delete()
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.tenants")
        .docstring("Work that goes through all tenants, each in a session of its own.")
        .body(block![every_tenant_def()])
}

fn every_tenant_def() -> FunctionDef {
    names!(database, session);
    async_def(every_tenant).params([param(database, Database)]).returns(py!(Sequence[UUID])).body(
        block![
            docstring("Return the id of every organization."),
            async_with_as(
                py!(database.session()),
                session,
                [return_(py!(session.scalars(select(Organization.id)).await.all()))]
            )
        ],
    )
}
