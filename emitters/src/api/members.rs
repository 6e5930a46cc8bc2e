//! `backend/app/api/members.py`: the members of an organization.

use crate::core::api_keys::keyed_router;
use crate::core::org_rbac::{PrincipalDep, only_people, require_fresh_session, require_permission};
use crate::core::pagination::PageRequestDep;
use crate::core::permissions::Permission;
use crate::guards::{guarded, served_unpaid};
use crate::python::fastapi::status;
use crate::python::standard::UUID;
use crate::schemas::member::{MemberPage, MemberRead, MemberUpdate, OwnershipTransfer};
use crate::services::member_service::{MemberServiceDep, deputy};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.members": router, list_members, change_member_role, remove_member,
        leave_organization, transfer_ownership;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    names!(MEMBERS_READ, MEMBERS_MANAGE);
    let leave = py!(require_permission(Permission.ORGANIZATION_READ));
    let (read, manage) = (
        py!(require_permission(Permission.MEMBERS_READ)),
        py!(require_permission(Permission.MEMBERS_MANAGE)),
    );
    module("app.api.members").docstring("The members of an organization.").body(block![
        assign(
            router,
            keyed_router(
                spec,
                "/organizations/{organization_id}",
                "members",
                [MEMBERS_READ, MEMBERS_MANAGE],
                []
            )
        ),
        guarded(list_members_def(), &read),
        guarded(change_member_role_def(), &manage),
        guarded(remove_member_def(), &manage),
        served_unpaid(spec, only_people(spec, guarded(leave_organization_def(), &leave))),
        deputy(spec).map(|_| transfer_ownership_def()).map(|route| {
            let owner = py!(require_permission(Permission.ORGANIZATION_TRANSFER));
            let route = guarded(guarded(route, &owner), &require_fresh_session.into_expr());
            served_unpaid(spec, route)
        })
    ])
}

fn list_members_def() -> FunctionDef {
    names!(principal, page, members, found);
    async_def(list_members)
        .decorator(py!(router.get("/members")))
        .params([
            param(principal, PrincipalDep),
            param(page, PageRequestDep),
            param(members, MemberServiceDep),
        ])
        .returns(MemberPage)
        .body(block![
            docstring("List the members of an organization."),
            assign(found, py!(members.page(principal, page).await)),
            return_(py!(MemberPage.model_validate(found)))
        ])
}

fn change_member_role_def() -> FunctionDef {
    names!(member_id, payload, principal, members, member);
    async_def(change_member_role)
        .decorator(py!(router.patch("/members/{member_id}")))
        .params([
            param(member_id, UUID),
            param(payload, MemberUpdate),
            param(principal, PrincipalDep),
            param(members, MemberServiceDep),
        ])
        .returns(MemberRead)
        .body(block![
            docstring("Give a member another role; the last owner stays one."),
            assign(member, py!(members.change_role(principal, member_id, payload.role).await)),
            return_(py!(MemberRead.model_validate(member)))
        ])
}

fn remove_member_def() -> FunctionDef {
    names!(member_id, principal, members);
    async_def(remove_member)
        .decorator(py!(
            router.delete("/members/{member_id}", status_code = status.HTTP_204_NO_CONTENT)
        ))
        .params([
            param(member_id, UUID),
            param(principal, PrincipalDep),
            param(members, MemberServiceDep),
        ])
        .returns(none())
        .body(block![
            docstring("Take a member out of an organization, but not its last owner."),
            do_(py!(members.remove(principal, member_id).await))
        ])
}

fn leave_organization_def() -> FunctionDef {
    names!(principal, members);
    async_def(leave_organization)
        .decorator(py!(router.post("/leave", status_code = status.HTTP_204_NO_CONTENT)))
        .params([param(principal, PrincipalDep), param(members, MemberServiceDep)])
        .returns(none())
        .body(block![
            docstring("Leave an organization, which its last owner cannot."),
            do_(py!(members.leave(principal).await))
        ])
}

fn transfer_ownership_def() -> FunctionDef {
    names!(payload, principal, members, owner);
    async_def(transfer_ownership)
        .decorator(py!(router.post("/transfer")))
        .params([
            param(payload, OwnershipTransfer),
            param(principal, PrincipalDep),
            param(members, MemberServiceDep),
        ])
        .returns(MemberRead)
        .body(block![
            docstring("Hand an organization over to another member; the caller steps down."),
            assign(owner, py!(members.transfer(principal, payload.member_id).await)),
            return_(py!(MemberRead.model_validate(owner)))
        ])
}
