//! `backend/app/schemas/invitation.py`: requests and responses about invitations.

use crate::core::roles::Role;
use crate::python::builtins::str;
use crate::python::pydantic::Field;
use crate::python::standard::{Annotated, UUID, datetime};
use crate::schemas::base::{Page, RequestModel, ResponseModel};
use crate::schemas::fields::{Email, NO_NUL};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.invitation": InvitationCreate, InvitationAccept, InvitationRead, InvitationPage,
        MembershipRead;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.invitation").docstring("Requests and responses about invitations.").body(
        block![
            invitation_create_class(),
            invitation_accept_class(),
            invitation_read_class(),
            invitation_page_class(),
            membership_read_class()
        ],
    )
}

fn invitation_create_class() -> ClassDef {
    names!(email, role);
    class(InvitationCreate).base(RequestModel).body(block![
        docstring("An invitation to the organization in the path."),
        annotate(email, Email),
        annotate(role, Role)
    ])
}

fn invitation_accept_class() -> ClassDef {
    names!(token);
    class(InvitationAccept).base(RequestModel).body(block![
        docstring("The token of an invitation mail."),
        annotate(
            token,
            py!(Annotated[(str, Field(min_length = 1, max_length = 200, pattern = NO_NUL))])
        )
    ])
}

fn invitation_read_class() -> ClassDef {
    names!(id, created_at, email, role, expires_at);
    class(InvitationRead).base(ResponseModel).body(block![
        docstring("An invitation; its token is in the mail and nowhere else."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(email, str),
        annotate(role, Role),
        annotate(expires_at, datetime)
    ])
}

fn invitation_page_class() -> ClassDef {
    class(InvitationPage)
        .base(py!(Page[InvitationRead]))
        .body(block![docstring("A part of the list of pending invitations.")])
}

fn membership_read_class() -> ClassDef {
    names!(id, created_at, organization_id, role);
    class(MembershipRead).base(ResponseModel).body(block![
        docstring("The membership that the caller got by accepting."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(organization_id, UUID),
        annotate(role, Role)
    ])
}
