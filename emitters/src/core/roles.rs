//! `backend/app/core/roles.py`: who someone is: on the platform, and in an organization.

use crate::python::builtins::{bool, int, list, property};
use crate::python::standard::StrEnum;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.roles": UserRole, Role;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.roles")
        .docstring("Who someone is: on the platform, and in an organization.")
        .body(block![user_role_class(), role_class()])
}

fn user_role_class() -> ClassDef {
    names!(USER, ADMIN);
    class(UserRole).base(StrEnum).body(block![
        docstring("The role of a user on the whole platform."),
        assign(USER, "user"),
        assign(ADMIN, "admin")
    ])
}

fn role_class() -> ClassDef {
    names!(OWNER, ADMIN, MEMBER, VIEWER);
    class(Role).base(StrEnum).body(block![
        docstring("The role of a member in an organization, highest rank first."),
        assign(OWNER, "owner"),
        assign(ADMIN, "admin"),
        assign(MEMBER, "member"),
        assign(VIEWER, "viewer"),
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
