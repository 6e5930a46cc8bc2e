//! `backend/app/core/roles.py`: who someone is: on the platform, and in an organization.

use crate::core::org_rbac::require_org_roles;
use crate::python::builtins::{bool, int, list, property};
use crate::python::standard::StrEnum;
use crate::spec::{self, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.roles": UserRole, Role;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.core.roles")
        .docstring("Who someone is: on the platform, and in an organization.")
        .body(block![user_role_class(), role_class(spec)])
}

fn user_role_class() -> ClassDef {
    names!(USER, ADMIN);
    class(UserRole).base(StrEnum).body(block![
        docstring("The role of a user on the whole platform."),
        assign(USER, "user"),
        assign(ADMIN, "admin")
    ])
}

/// `Role.OWNER` and the like.
#[must_use]
pub fn role(role: &spec::Role) -> Expr {
    Role.attr(role.constant)
}

/// `require_org_roles(Role.OWNER, …)`
#[must_use]
pub fn required<'a>(roles: impl IntoIterator<Item = &'a spec::Role>) -> Expr {
    require_org_roles.call(roles.into_iter().map(|one| arg(role(one))))
}

fn role_class(spec: &Spec) -> ClassDef {
    let roles = &spec.organizations.roles;
    class(Role).base(StrEnum).body(block![
        docstring("The role of a member in an organization, highest rank first."),
        roles.iter().map(|role| assign(role.constant, role.name.as_str())).collect::<Vec<_>>(),
        role_rank(),
        role_outranks()
    ])
}

fn role_rank() -> FunctionDef {
    def("rank").decorator(property).params([untyped("self")]).returns(int).body(block![
        docstring("Place this role in the order: 0 is the highest rank."),
        return_(py!(list(Role).index(self)))
    ])
}

fn role_outranks() -> FunctionDef {
    names!(other);
    def("outranks").params([untyped("self"), param(other, "Role")]).returns(bool).body(block![
        docstring("Tell whether this role stands strictly above the other."),
        return_(py!(self.rank < other.rank))
    ])
}
