//! `backend/app/schemas/invitation.py`: requests and responses about invitations.

use crate::core::roles::Role;
use crate::python::builtins::{int, str};
use crate::python::standard::{UUID, datetime};
use crate::schemas::auth::Token;
use crate::schemas::base::{Page, RequestModel, ResponseModel};
use crate::schemas::fields::Email;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.invitation": InvitationCreate, InvitationToken, InvitationRead, InvitationPage,
        InvitationPreview, MembershipRead;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.invitation").docstring("Requests and responses about invitations.").body(
        block![
            invitation_create_class(),
            invitation_token_class(),
            invitation_read_class(),
            invitation_page_class(),
            invitation_preview_class(),
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

fn invitation_token_class() -> ClassDef {
    names!(token);
    class(InvitationToken)
        .base(RequestModel)
        .body(block![docstring("The token of an invitation mail."), annotate(token, Token)])
}

fn invitation_read_class() -> ClassDef {
    names!(id, created_at, email, role, expires_at, sent_count, last_sent_at);
    class(InvitationRead).base(ResponseModel).body(block![
        docstring("An invitation; its token is in the mail and nowhere else."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(email, str),
        annotate(role, Role),
        annotate(expires_at, datetime),
        annotate(sent_count, int),
        annotate(last_sent_at, datetime)
    ])
}

fn invitation_page_class() -> ClassDef {
    class(InvitationPage)
        .base(py!(Page[InvitationRead]))
        .body(block![docstring("A part of the list of pending invitations.")])
}

fn invitation_preview_class() -> ClassDef {
    names!(organization_name, inviter_email, email, role, expires_at);
    class(InvitationPreview).base(ResponseModel).body(block![
        docstring("What an invitation says to who holds its token; addresses are masked."),
        annotate(organization_name, str),
        annotate(inviter_email, str),
        annotate(email, str),
        annotate(role, Role),
        annotate(expires_at, datetime)
    ])
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
