//! `backend/app/core/rbac.py`: the signed-in user and their role on the platform.

use crate::core::database::SessionDep;
use crate::core::errors::{ForbiddenError, UnauthorizedError};
use crate::core::roles::UserRole;
use crate::core::security::CallerIdDep;
use crate::models::user::User;
use crate::python::fastapi::Depends;
use crate::python::standard::{Annotated, Awaitable, Callable};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.rbac": get_current_user, CurrentUserDep, require_user_roles;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.rbac").docstring("The signed-in user and their role on the platform.").body(
        block![
            get_current_user_def(),
            assign(CurrentUserDep, py!(Annotated[(User, Depends(get_current_user))])),
            require_user_roles_def()
        ],
    )
}

fn get_current_user_def() -> FunctionDef {
    names!(caller_id, session, user);
    async_def(get_current_user)
        .params([param(caller_id, CallerIdDep), param(session, SessionDep)])
        .returns(User)
        .body(block![
            docstring("Return the signed-in user, or answer 401."),
            assign(user, py!(session.get(User, caller_id).await)),
            if_(
                py!(user == None || !user.is_active),
                [raise(py!(UnauthorizedError("The user of this access token cannot sign in.")))]
            ),
            return_(user)
        ])
}

fn require_user_roles_def() -> FunctionDef {
    names!(roles, guard);
    def(require_user_roles)
        .params([varargs(roles, UserRole)])
        .returns(py!(Callable[([User], Awaitable[None])]))
        .body(block![
            docstring("Guard a route: without one of these roles the answer is 403."),
            {
                names!(user);
                async_def(guard).params([param(user, CurrentUserDep)]).returns(none()).body(if_(
                    py!(not_in!(user.role, roles)),
                    [raise(py!(ForbiddenError("Your role does not allow this.")))],
                ))
            },
            return_(guard)
        ])
}
