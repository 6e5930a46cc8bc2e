//! `backend/app/core/org_rbac.py`: the signed-in user's place in the organization that the path names.

use crate::core::database::SessionDep;
use crate::core::errors::{ForbiddenError, NotFoundError, UnauthorizedError};
use crate::core::roles::Role;
use crate::core::security::CallerIdDep;
use crate::core::tenancy::bind_tenant;
use crate::models::membership::Membership;
use crate::models::organization::Organization;
use crate::models::user::User;
use crate::python::builtins::{property, tuple};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{AsyncSession, and_, select};
use crate::python::standard::{Annotated, Awaitable, Callable, UUID, dataclass};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.org_rbac": Principal, get_principal, find_member, PrincipalDep, get_tenant_session,
        TenantSessionDep, require_org_roles;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.org_rbac")
        .docstring("The signed-in user's place in the organization that the path names.")
        .body(block![
            principal_class(),
            get_principal_def(),
            find_member_def(),
            assign(PrincipalDep, py!(Annotated[(Principal, Depends(get_principal))])),
            get_tenant_session_def(),
            assign(TenantSessionDep, py!(Annotated[(AsyncSession, Depends(get_tenant_session))])),
            require_org_roles_def()
        ])
}

fn principal_class() -> ClassDef {
    names!(user, membership, organization);
    class(Principal).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("Who asks, as a member of which organization."),
        annotate(user, User),
        annotate(membership, Membership),
        annotate(organization, Organization),
        principal_role()
    ])
}

fn principal_role() -> FunctionDef {
    def("role").decorator(property).params([untyped("self")]).returns(Role).body(block![
        docstring("Return the caller's role in the organization."),
        return_(py!(self.membership.role))
    ])
}

fn get_principal_def() -> FunctionDef {
    names!(organization_id, caller_id, session, found, user, membership, organization);
    async_def(get_principal)
        .params([
            param(organization_id, UUID),
            param(caller_id, CallerIdDep),
            param(session, SessionDep),
        ])
        .returns(Principal)
        .body(block![
            docstring(
                "Look the caller's membership up, or answer 401 or 404.\n\
                 \n\
                 An organization that the caller does not belong to is answered like one that does\n\
                 not exist."
            ),
            assign(found, py!(find_member(session, caller_id, organization_id).await)),
            if_(
                py!(found == None || !found[0].is_active),
                [raise(py!(UnauthorizedError("The user of this access token cannot sign in.")))]
            ),
            assign(py!((user, membership, organization)), found),
            if_(
                py!(membership == None || organization == None),
                [raise(py!(NotFoundError("There is no such organization.")))]
            ),
            return_(py!(Principal(user, membership, organization)))
        ])
}

fn find_member_def() -> FunctionDef {
    names!(session, user_id, organization_id, membership_of_user, statement, result);
    async_def(find_member)
        .params([param(session, AsyncSession), param(user_id, UUID), param(organization_id, UUID)])
        .returns(py!(tuple[(User, Membership | None, Organization | None)] | None))
        .body(block![
            docstring("Load a user, their membership and its organization in one statement."),
            assign(
                membership_of_user,
                py!(and_(
                    Membership.user_id == User.id,
                    Membership.organization_id == organization_id
                ))
            ),
            assign(
                statement,
                py!(select(User, Membership, Organization)
                    .outerjoin(Membership, membership_of_user)
                    .outerjoin(Organization, Organization.id == Membership.organization_id)
                    .r#where(User.id == user_id))
            ),
            assign(result, py!(session.execute(statement).await)),
            return_(py!(result.one_or_none()))
        ])
}

fn get_tenant_session_def() -> FunctionDef {
    names!(principal, session);
    async_def(get_tenant_session)
        .params([param(principal, PrincipalDep), param(session, SessionDep)])
        .returns(AsyncSession)
        .body(block![
            docstring("Return the session of the request, bound to the caller's organization."),
            do_(py!(bind_tenant(session, principal.organization.id).await)),
            return_(session)
        ])
}

fn require_org_roles_def() -> FunctionDef {
    names!(roles, guard);
    def(require_org_roles)
        .params([varargs(roles, Role)])
        .returns(py!(Callable[([Principal], Awaitable[None])]))
        .body(block![
            docstring("Guard a route: without one of these roles the answer is 403."),
            {
                names!(principal);
                async_def(guard).params([param(principal, PrincipalDep)]).returns(none()).body(if_(
                    py!(not_in!(principal.role, roles)),
                    [raise(py!(ForbiddenError(
                        "Your role in this organization does not allow this."
                    )))],
                ))
            },
            return_(guard)
        ])
}
