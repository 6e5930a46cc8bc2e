//! `backend/app/services/session_service.py`: sessions: how they begin, stay alive, and end.

use crate::core::client::ClientDep;
use crate::core::database::SessionDep;
use crate::core::errors::{NotFoundError, UnauthorizedError};
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::core::security::{Purpose, SignerDep};
use crate::core::settings::SettingsDep;
use crate::models::base::utcnow;
use crate::models::refresh_token::RefreshToken;
use crate::models::session::AuthSession;
use crate::models::totp::LoginChallenge;
use crate::models::user::User;
use crate::python::builtins::{__name__, str, tuple};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{delete, select, update};
use crate::python::standard::{
    Annotated, UUID, dataclass, datetime, logging, secrets, timedelta, uuid4,
};
use crate::spec::{Auth, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.session_service": logger, TOKEN_BYTES, ROTATION_GRACE, Tokens, SessionService,
        SessionServiceDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.services.session_service")
        .docstring("Sessions: how they begin, stay alive, and end.")
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(TOKEN_BYTES, 32).paragraph(),
            assign(ROTATION_GRACE, py!(timedelta(seconds = 10))).comment(
                "Tabs of one browser refresh at the same time, and only one of them can be first."
            ),
            tokens_class(spec.auth.has_cookies()),
            session_service_class(&spec.auth),
            assign(SessionServiceDep, py!(Annotated[(SessionService, Depends(SessionService))]))
        ])
}

fn tokens_class(has_cookies: bool) -> ClassDef {
    names!(access_token, refresh_token, session_id);
    class(Tokens).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What a client keeps of a session."),
        annotate(access_token, str),
        annotate(refresh_token, str),
        has_cookies.then(|| annotate(session_id, UUID))
    ])
}

/// Where a client puts a session into cookies, it has to know which one it is.
fn session_id_of(auth: &Auth, auth_session: Name) -> Option<Arg> {
    auth.has_cookies().then(|| arg(py!(auth_session.id)))
}

fn session_service_class(auth: &Auth) -> ClassDef {
    let has_totp = auth.has_totp();
    names!(session, settings, signer, client);
    class(SessionService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for sessions."),
        annotate(session, SessionDep),
        annotate(settings, SettingsDep),
        annotate(signer, SignerDep),
        annotate(client, ClientDep),
        session_service_open(auth),
        session_service_refresh(auth),
        session_service_renew(),
        session_service_page(),
        session_service_end(),
        session_service_end_all(has_totp),
        session_service_find(),
        session_service_store(),
        session_service_expiry(),
        session_service_access_token()
    ])
}

fn session_service_open(auth: &Auth) -> FunctionDef {
    names!(user, now, auth_session, refresh_token);
    let id = session_id_of(auth, auth_session);
    async_def("open").params([untyped("self"), param(user, User)]).returns(Tokens).body(block![
        docstring("Sign a user in; their sessions that ran out are removed on the occasion."),
        assign(now, py!(utcnow())),
        do_(py!(self
            .session
            .execute(
                delete(AuthSession)
                    .r#where(AuthSession.user_id == user.id, AuthSession.expires_at <= now)
            )
            .await)),
        assign(
            auth_session,
            py!(AuthSession(
                id = uuid4(),
                user_id = user.id,
                expires_at = self.expiry(now),
                ip_address = self.client.ip_address,
                user_agent = self.client.user_agent
            ))
        ),
        do_(py!(self.session.add(auth_session))),
        do_(py!(self.session.flush().await)),
        assign(refresh_token, py!(secrets.token_urlsafe(TOKEN_BYTES))),
        do_(py!(self.store(auth_session, refresh_token))),
        return_(py!(Tokens(self.access_token(auth_session), refresh_token, ..id)))
    ])
}

fn session_service_refresh(auth: &Auth) -> FunctionDef {
    names!(token, found, presented, auth_session, now, successor);
    let id = session_id_of(auth, auth_session);
    async_def("refresh").params([untyped("self"), param(token, str)]).returns(Tokens).body(block![
        docstring(
            "Exchange a refresh token for its successor and a new access token.\n\
             \n\
             Each token is good once. One that comes back was copied, and ends the session\n\
             for the thief and for the owner; only for a moment it is taken for another\n\
             tab of the same browser, which gets the same successor."
        ),
        assign(found, py!(self.find(token).await)),
        if_(py!(found == None), [raise(py!(UnauthorizedError("The refresh token is not valid.")))]),
        assign(py!((presented, auth_session)), found),
        assign(py!((now, successor)), py!((utcnow(), self.signer.successor(token)))),
        if_(
            py!(presented.rotated_at == None),
            block![
                assign_all([py!(presented.rotated_at), py!(auth_session.used_at)], now),
                assign(py!(auth_session.expires_at), py!(self.expiry(now))),
                do_(py!(self.store(auth_session, successor)))
            ]
        )
        .elif(
            py!(now - presented.rotated_at > ROTATION_GRACE),
            block![
                do_(py!(self.session.delete(auth_session).await)),
                do_(py!(self.session.commit().await)),
                do_(py!(logger.warning("Session %s ended: a token came back", auth_session.id))),
                raise(py!(UnauthorizedError(
                    "This refresh token was used before.",
                    code = "refresh_token_reused"
                )))
            ]
        ),
        return_(py!(Tokens(self.access_token(auth_session), successor, ..id)))
    ])
}

fn session_service_renew() -> FunctionDef {
    names!(auth_session);
    async_def("renew")
        .params([untyped("self"), param(auth_session, AuthSession)])
        .returns(none())
        .body(block![
            docstring("Note that the user has just shown who they are."),
            do_(py!(self
                .session
                .execute(
                    update(AuthSession)
                        .r#where(AuthSession.id == auth_session.id)
                        .values(authenticated_at = utcnow())
                )
                .await))
        ])
}

fn session_service_page() -> FunctionDef {
    names!(user, page, statement);
    async_def("page")
        .params([untyped("self"), param(user, User), param(page, PageRequest)])
        .returns(py!(Slice[AuthSession]))
        .body(block![
            docstring("List the sessions of a user."),
            assign(
                statement,
                py!(select(AuthSession)
                    .r#where(AuthSession.user_id == user.id, AuthSession.expires_at > utcnow()))
            ),
            return_(py!(fetch_page(self.session, statement, AuthSession, page).await))
        ])
}

fn session_service_end() -> FunctionDef {
    names!(user, session_id, ended);
    async_def("end")
        .params([untyped("self"), param(user, User), param(session_id, UUID)])
        .returns(none())
        .body(block![
            docstring("End one session of a user."),
            assign(
                ended,
                py!(self
                    .session
                    .scalar(
                        delete(AuthSession)
                            .r#where(AuthSession.id == session_id, AuthSession.user_id == user.id)
                            .returning(AuthSession.id)
                    )
                    .await)
            ),
            if_(py!(ended == None), [raise(py!(NotFoundError("There is no such session.")))])
        ])
}

fn session_service_end_all(has_totp: bool) -> FunctionDef {
    names!(user, keep, statement, begun);
    let begun = has_totp.then(|| {
        [
            assign(begun, py!(delete(LoginChallenge).r#where(LoginChallenge.user_id == user.id))),
            do_(py!(self.session.execute(begun).await)),
        ]
    });
    async_def("end_all")
        .params([
            untyped("self"),
            param(user, User),
            star(),
            param(keep, py!(AuthSession | None)).default(none()),
        ])
        .returns(none())
        .body(block![
            docstring(if has_totp {
                "End every session and half-done sign-in of a user, but for one to keep."
            } else {
                "End every session of a user, but for one that is kept."
            }),
            begun,
            assign(statement, py!(delete(AuthSession).r#where(AuthSession.user_id == user.id))),
            if_(
                py!(keep != None),
                [assign(statement, py!(statement.r#where(AuthSession.id != keep.id)))]
            ),
            do_(py!(self.session.execute(statement).await))
        ])
}

fn session_service_find() -> FunctionDef {
    names!(token, token_hashes, statement, found);
    async_def("find")
        .params([untyped("self"), param(token, str)])
        .returns(py!(tuple[(RefreshToken, AuthSession)] | None))
        .body(block![
            docstring("Find a refresh token and its session, and lock both."),
            assign(token_hashes, py!(self.signer.digests(Purpose.REFRESH, token))),
            assign(
                statement,
                py!(select(RefreshToken, AuthSession)
                    .join(AuthSession, AuthSession.id == RefreshToken.session_id)
                    .join(User, User.id == AuthSession.user_id)
                    .r#where(
                        RefreshToken.token_hash.in_(token_hashes),
                        AuthSession.expires_at > utcnow(),
                        User.is_active
                    )
                    .with_for_update(of = (RefreshToken, AuthSession)))
            ),
            assign(found, py!(self.session.execute(statement).await.one_or_none())),
            return_(py!(if found == None { None } else { (found[0], found[1]) }))
        ])
}

fn session_service_store() -> FunctionDef {
    names!(auth_session, refresh_token, token_hash);
    def("store")
        .params([untyped("self"), param(auth_session, AuthSession), param(refresh_token, str)])
        .returns(none())
        .body(block![
            docstring("Keep what is needed to recognize a refresh token."),
            assign(token_hash, py!(self.signer.digest(Purpose.REFRESH, refresh_token))),
            do_(py!(self
                .session
                .add(RefreshToken(session_id = auth_session.id, token_hash = token_hash))))
        ])
}

fn session_service_expiry() -> FunctionDef {
    names!(now);
    def("expiry").params([untyped("self"), param(now, datetime)]).returns(datetime).body(block![
        docstring("Return when a session ends that is used now and never again."),
        return_(py!(now + timedelta(seconds = self.settings.session_seconds)))
    ])
}

fn session_service_access_token() -> FunctionDef {
    names!(auth_session, lifetime, claims);
    def("access_token")
        .params([untyped("self"), param(auth_session, AuthSession)])
        .returns(str)
        .body(block![
            docstring("Issue an access token that is good as long as the session is."),
            assign(lifetime, py!(timedelta(seconds = self.settings.access_token_seconds))),
            assign(claims, py!(dict!("sid" => str(auth_session.id)))),
            return_(py!(self.signer.sign(Purpose.ACCESS, auth_session.user_id, lifetime, claims)))
        ])
}
