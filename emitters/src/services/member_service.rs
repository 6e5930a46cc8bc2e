//! `backend/app/services/member_service.py`: members of an organization: their roles, and how they go.

use crate::core::database::SessionDep;
use crate::core::errors::{ConflictError, ForbiddenError, NotFoundError, raise_reference_missing};
use crate::core::org_rbac::{Principal, guard_grant, lock_organization};
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::core::permissions::Permission;
use crate::core::roles::{Role, role};
use crate::core::settings::SettingsDep;
use crate::models::api_key::ApiKey;
use crate::models::membership::Membership;
use crate::models::session::AuthSession;
use crate::models::user::User;
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{joinedload, select, update};
use crate::python::standard::{Annotated, UUID, dataclass};
use crate::services::api_key_service::revoke_keys;
use crate::spec::{Role as OrgRole, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.member_service": MemberService, MemberServiceDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.services.member_service")
        .docstring("Members of an organization: their roles, and how they go.")
        .body(block![
            member_service_class(spec),
            assign(MemberServiceDep, py!(Annotated[(MemberService, Depends(MemberService))]))
        ])
}

fn member_service_class(spec: &Spec) -> ClassDef {
    names!(session, settings);
    class(MemberService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for members: nobody touches, or gives, a rank above their own."),
        annotate(session, SessionDep),
        deputy(spec).map(|_| annotate(settings, SettingsDep)),
        member_service_page(),
        member_service_change_role(deputy(spec).is_some()),
        member_service_remove(),
        member_service_leave(),
        deputy(spec).map(|deputy| member_service_transfer(spec, deputy)),
        member_service_find(),
        member_service_look_up(),
        member_service_expel(spec.organizations.api_keys),
        member_service_keep_an_owner(spec)
    ])
}

/// What an owner becomes who hands the organization over; there has to be something to become.
#[must_use]
pub fn deputy(spec: &Spec) -> Option<&OrgRole> {
    spec.organizations.roles.get(1)
}

fn member_service_page() -> FunctionDef {
    names!(principal, page, statement);
    async_def("page")
        .params([untyped("self"), param(principal, Principal), param(page, PageRequest)])
        .returns(py!(Slice[Membership]))
        .body(block![
            docstring("List the members of the caller's organization."),
            assign(
                statement,
                py!(select(Membership)
                    .r#where(Membership.organization_id == principal.organization.id)
                    .options(joinedload(Membership.user)))
            ),
            return_(py!(fetch_page(self.session, statement, Membership, page).await))
        ])
}

fn member_service_change_role(guards_grants: bool) -> FunctionDef {
    names!(principal, member_id, role, member);
    async_def("change_role")
        .params([
            untyped("self"),
            param(principal, Principal),
            param(member_id, UUID),
            param(role, Role),
        ])
        .returns(Membership)
        .body(block![
            docstring("Give a member another role."),
            do_(py!(lock_organization(self.session, principal, Permission.MEMBERS_MANAGE).await)),
            assign(member, py!(self.find(principal, member_id).await)),
            if_(
                py!(role.outranks(principal.role)),
                [raise(py!(ForbiddenError("You cannot give a role above your own.")))]
            ),
            guards_grants.then(|| do_(py!(guard_grant(principal, role, self.settings)))),
            if_(py!(member.role.outranks(role)), [do_(py!(self.keep_an_owner(member).await))]),
            assign(py!(member.role), role),
            do_(py!(self.session.flush().await)),
            return_(member)
        ])
}

fn member_service_remove() -> FunctionDef {
    names!(principal, member_id);
    async_def("remove")
        .params([untyped("self"), param(principal, Principal), param(member_id, UUID)])
        .returns(none())
        .body(block![
            docstring("Take a member out of the organization."),
            do_(py!(lock_organization(self.session, principal, Permission.MEMBERS_MANAGE).await)),
            do_(py!(self.expel(self.find(principal, member_id).await).await))
        ])
}

fn member_service_leave() -> FunctionDef {
    names!(principal);
    async_def("leave").params([untyped("self"), param(principal, Principal)]).returns(none()).body(
        block![
            docstring("Take the caller out of the organization."),
            do_(py!(lock_organization(self.session, principal).await)),
            do_(py!(self.expel(principal.membership).await))
        ],
    )
}

fn member_service_transfer(spec: &Spec, deputy: &OrgRole) -> FunctionDef {
    names!(principal, member_id, heir);
    let (owner_role, deputy_role) = (role(spec.organizations.owner()), role(deputy));
    async_def("transfer")
        .params([untyped("self"), param(principal, Principal), param(member_id, UUID)])
        .returns(Membership)
        .body(block![
            docstring("Hand the organization over to another member, and step down."),
            do_(py!(
                lock_organization(self.session, principal, Permission.ORGANIZATION_TRANSFER).await
            )),
            assign(heir, py!(self.look_up(principal, member_id).await)),
            if_(py!(heir == None), [raise_reference_missing("member")]),
            if_(
                py!(heir.id == principal.membership.id),
                [raise(py!(ConflictError("The organization is yours already.")))]
            ),
            if_(
                py!(!heir.user.is_active),
                [raise(py!(ConflictError("The account of this member is not active.")))]
            ),
            assign(py!((heir.role, principal.membership.role)), py!((owner_role, deputy_role))),
            do_(py!(self.session.flush().await)),
            return_(heir)
        ])
}

fn member_service_find() -> FunctionDef {
    names!(principal, member_id, member);
    async_def("find")
        .params([untyped("self"), param(principal, Principal), param(member_id, UUID)])
        .returns(Membership)
        .body(block![
            docstring("Find a member of the organization whom the caller may touch."),
            assign(member, py!(self.look_up(principal, member_id).await)),
            if_(py!(member == None), [raise(py!(NotFoundError("There is no such member.")))]),
            if_(
                py!(member.role.outranks(principal.role)),
                [raise(py!(ForbiddenError("This member's role is above your own.")))]
            ),
            return_(member)
        ])
}

fn member_service_look_up() -> FunctionDef {
    names!(principal, member_id, statement);
    async_def("look_up")
        .params([untyped("self"), param(principal, Principal), param(member_id, UUID)])
        .returns(py!(Membership | None))
        .body(block![
            docstring("Load a member of the organization as it is now, if there is one."),
            assign(
                statement,
                py!(select(Membership)
                    .r#where(
                        Membership.id == member_id,
                        Membership.organization_id == principal.organization.id
                    )
                    .options(joinedload(Membership.user))
                    .execution_options(populate_existing = true))
            ),
            return_(py!(self.session.scalar(statement).await))
        ])
}

fn member_service_expel(has_keys: bool) -> FunctionDef {
    names!(member, organization_id);
    let of_member = [
        arg(py!(ApiKey.organization_id == organization_id)),
        arg(py!(ApiKey.user_id == member.user_id)),
    ];
    let revoke = do_(py!(revoke_keys(self.session, ..of_member).await));
    async_def("expel").params([untyped("self"), param(member, Membership)]).returns(none()).body(
        block![
            docstring(match has_keys {
                true =>
                    "End a membership; no session or key of the user stays in the organization.",
                false => "End a membership; no session of the user stays in the organization.",
            }),
            do_(py!(self.keep_an_owner(member).await)),
            assign(organization_id, py!(member.organization_id)),
            do_(py!(self
                .session
                .execute(
                    update(AuthSession)
                        .r#where(
                            AuthSession.user_id == member.user_id,
                            AuthSession.active_organization_id == organization_id
                        )
                        .values(active_organization_id = None)
                )
                .await)),
            has_keys.then_some(revoke),
            do_(py!(self.session.delete(member).await)),
            do_(py!(self.session.flush().await))
        ],
    )
}

fn member_service_keep_an_owner(spec: &Spec) -> FunctionDef {
    names!(member, others);
    let owner_role = &role(spec.organizations.owner());
    async_def("keep_an_owner")
        .params([untyped("self"), param(member, Membership)])
        .returns(none())
        .body(block![
            docstring("Refuse to let the last owner go whose account is active."),
            deputy(spec).map(|_| if_(py!(member.role != owner_role), [return_none()])),
            assign(
                others,
                py!(select(Membership.id)
                    .join(User, User.id == Membership.user_id)
                    .r#where(
                        Membership.organization_id == member.organization_id,
                        Membership.id != member.id,
                        Membership.role == owner_role,
                        User.is_active
                    )
                    .limit(1))
            ),
            if_(
                py!(self.session.scalar(others).await == None),
                [raise(py!(ConflictError(
                    "The organization needs another owner first.",
                    code = "sole_owner"
                )))]
            )
        ])
}
