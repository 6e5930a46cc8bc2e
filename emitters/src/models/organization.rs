//! `backend/app/models/organization.py`: organizations: the tenants, and who pays.

use crate::models::base::{Audited, Base};
use crate::models::subscription::subscription_columns;
use crate::python::builtins::str;
use crate::python::sqlalchemy::{Mapped, String, mapped_column};
use crate::spec::{Payer, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.organization": Organization;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.models.organization")
        .docstring(if spec.has_payer(Payer::Organization) {
            "Organizations: the tenants, and who pays."
        } else {
            "Organizations: the tenants."
        })
        .body(block![organization_class(spec)])
}

fn organization_class(spec: &Spec) -> ClassDef {
    names!(__tablename__, name);
    class(Organization).base(Audited).base(Base).body(block![
        docstring(if spec.has_payer(Payer::Organization) {
            "A tenant. The billing columns follow the events of the provider."
        } else {
            "A tenant."
        }),
        assign(__tablename__, "organizations"),
        ann_assign(name, py!(Mapped[str]), py!(mapped_column(String(120)))).paragraph(),
        subscription_columns(spec, Payer::Organization)
    ])
}
