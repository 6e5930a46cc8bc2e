//! `backend/app/schemas/member.py`: requests and responses about the members of an organization.

use crate::core::roles::Role;
use crate::python::builtins::str;
use crate::python::standard::{UUID, datetime};
use crate::schemas::base::{Page, RequestModel, ResponseModel};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.member": MemberUpdate, OwnershipTransfer, MemberUser, MemberRead, MemberPage;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.member")
        .docstring("Requests and responses about the members of an organization.")
        .body(block![
            member_update_class(),
            ownership_transfer_class(),
            member_user_class(),
            member_read_class(),
            member_page_class()
        ])
}

fn member_update_class() -> ClassDef {
    names!(role);
    class(MemberUpdate)
        .base(RequestModel)
        .body(block![docstring("The role of a member from now on."), annotate(role, Role)])
}

fn ownership_transfer_class() -> ClassDef {
    names!(member_id);
    class(OwnershipTransfer).base(RequestModel).body(block![
        docstring("Which member is to own the organization."),
        annotate(member_id, UUID)
    ])
}

fn member_user_class() -> ClassDef {
    names!(id, email);
    class(MemberUser).base(ResponseModel).body(block![
        docstring("A member, as the other members see them."),
        annotate(id, UUID),
        annotate(email, str)
    ])
}

fn member_read_class() -> ClassDef {
    names!(id, created_at, role, user);
    class(MemberRead).base(ResponseModel).body(block![
        docstring("A membership in an organization."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(role, Role),
        annotate(user, MemberUser)
    ])
}

fn member_page_class() -> ClassDef {
    class(MemberPage)
        .base(py!(Page[MemberRead]))
        .body(block![docstring("A part of the list of members.")])
}
