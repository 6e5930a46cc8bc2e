//! `backend/app/api/me.py`: the account of the caller.

use crate::core::pagination::PageRequestDep;
use crate::core::rate_limit::{AttemptsDep, CREDENTIALS, MAILS};
use crate::core::rbac::{CurrentUserDep, SignedInDep, require_fresh_sign_in};
use crate::python::fastapi::{APIRouter, Depends, status};
use crate::python::standard::UUID;
use crate::schemas::auth::{
    Accepted, EmailRequest, MeRead, PasswordChange, SessionPage, SessionRead, TokenRequest,
    UserRead,
};
use crate::services::me_service::MeServiceDep;
use crate::services::outbox::OutboxDep;
use crate::services::password_service::PasswordServiceDep;
use crate::services::session_service::SessionServiceDep;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.me": router, read_me, delete_me, change_password, change_email, confirm_email,
        list_sessions, end_other_sessions, end_session;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.api.me").docstring("The account of the caller.").body(block![
        assign(router, py!(APIRouter(prefix = "/auth", tags = ["account"]))),
        read_me_def(),
        delete_me_def(),
        change_password_def(),
        change_email_def(),
        confirm_email_def(),
        list_sessions_def(),
        end_other_sessions_def(),
        end_session_def()
    ])
}

fn read_me_def() -> FunctionDef {
    names!(signed_in, account, organization_id);
    async_def(read_me)
        .decorator(py!(router.get("/me")))
        .params([param(signed_in, SignedInDep)])
        .returns(MeRead)
        .body(block![
            docstring("Return the caller's account, and the organization they switched to."),
            assign(account, py!(UserRead.model_validate(signed_in.user))),
            assign(organization_id, py!(signed_in.session.active_organization_id)),
            return_(py!(MeRead(**account.model_dump(), active_organization_id = organization_id)))
        ])
}

fn delete_me_def() -> FunctionDef {
    names!(user, account, outbox, mail);
    async_def(delete_me)
        .decorator(py!(router.delete(
            "/me",
            status_code = status.HTTP_204_NO_CONTENT,
            dependencies = [Depends(require_fresh_sign_in)]
        )))
        .params([
            param(user, CurrentUserDep),
            param(account, MeServiceDep),
            param(outbox, OutboxDep),
        ])
        .returns(none())
        .body(block![
            docstring("Delete the caller's account; refused to the only owner of an organization."),
            assign(mail, py!(account.delete(user).await)),
            do_(py!(outbox.add(mail)))
        ])
}

fn change_password_def() -> FunctionDef {
    names!(attempts, payload, signed_in, passwords, outbox, mail);
    async_def(change_password)
        .decorator(py!(router.post("/password", status_code = status.HTTP_204_NO_CONTENT)))
        .params([
            param(payload, PasswordChange),
            param(signed_in, SignedInDep),
            param(passwords, PasswordServiceDep),
            param(outbox, OutboxDep),
            param(attempts, AttemptsDep),
        ])
        .returns(none())
        .body(block![
            docstring("Replace the password; every other session ends."),
            do_(py!(attempts.spend(CREDENTIALS, signed_in.user.email).await)),
            assign(
                mail,
                py!(passwords
                    .change(signed_in, payload.current_password, payload.new_password)
                    .await)
            ),
            do_(py!(outbox.add(mail)))
        ])
}

fn change_email_def() -> FunctionDef {
    names!(attempts, payload, user, account, outbox, mail);
    async_def(change_email)
        .decorator(py!(router.post(
            "/email",
            status_code = status.HTTP_202_ACCEPTED,
            dependencies = [Depends(require_fresh_sign_in)]
        )))
        .params([
            param(payload, EmailRequest),
            param(user, CurrentUserDep),
            param(account, MeServiceDep),
            param(outbox, OutboxDep),
            param(attempts, AttemptsDep),
        ])
        .returns(Accepted)
        .body(block![
            docstring("Send a token to a new address; the answer is the same for any address."),
            do_(py!(attempts.spend(MAILS, user.email, payload.email).await)),
            assign(mail, py!(account.ask_for_email(user, payload.email).await)),
            do_(py!(outbox.add(mail))),
            return_(py!(Accepted()))
        ])
}

fn confirm_email_def() -> FunctionDef {
    names!(payload, signed_in, account, outbox, mail);
    async_def(confirm_email)
        .decorator(py!(router.post("/email/confirm")))
        .params([
            param(payload, TokenRequest),
            param(signed_in, SignedInDep),
            param(account, MeServiceDep),
            param(outbox, OutboxDep),
        ])
        .returns(UserRead)
        .body(block![
            docstring(
                "Take over the address that the token was mailed to; every other session ends."
            ),
            assign(mail, py!(account.confirm_email(signed_in, payload.token).await)),
            do_(py!(outbox.add(mail))),
            return_(py!(UserRead.model_validate(signed_in.user)))
        ])
}

fn list_sessions_def() -> FunctionDef {
    names!(signed_in, page, sessions, found, items);
    async_def(list_sessions)
        .decorator(py!(router.get("/sessions")))
        .params([
            param(signed_in, SignedInDep),
            param(page, PageRequestDep),
            param(sessions, SessionServiceDep),
        ])
        .returns(SessionPage)
        .body(block![
            docstring("List where the caller is signed in."),
            assign(found, py!(sessions.page(signed_in.user, page).await)),
            assign(items, py!(list!(SessionRead.model_validate(one) for one in found.items))),
            return_(py!(SessionPage(
                items = items,
                next_cursor = found.next_cursor,
                total = found.total,
                current_id = signed_in.session.id
            )))
        ])
}

fn end_other_sessions_def() -> FunctionDef {
    names!(signed_in, sessions);
    async_def(end_other_sessions)
        .decorator(py!(router.delete("/sessions", status_code = status.HTTP_204_NO_CONTENT)))
        .params([param(signed_in, SignedInDep), param(sessions, SessionServiceDep)])
        .returns(none())
        .body(block![
            docstring("Sign the caller out everywhere else."),
            do_(py!(sessions.end_all(signed_in.user, keep = signed_in.session).await))
        ])
}

fn end_session_def() -> FunctionDef {
    names!(session_id, user, sessions);
    async_def(end_session)
        .decorator(py!(
            router.delete("/sessions/{session_id}", status_code = status.HTTP_204_NO_CONTENT)
        ))
        .params([
            param(session_id, UUID),
            param(user, CurrentUserDep),
            param(sessions, SessionServiceDep),
        ])
        .returns(none())
        .body(block![
            docstring("End one session of the caller."),
            do_(py!(sessions.end(user, session_id).await))
        ])
}
