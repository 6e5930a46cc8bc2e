//! `backend/app/services/challenge_service.py`: the second step of a sign-in.

use crate::core::database::SessionDep;
use crate::core::errors::UnauthorizedError;
use crate::core::lockout::LockoutDep;
use crate::core::security::{Purpose, SignerDep};
use crate::models::base::utcnow;
use crate::models::totp::LoginChallenge;
use crate::models::user::User;
use crate::python::builtins::{str, tuple};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{delete, select, update};
use crate::python::standard::{Annotated, UUID, dataclass, secrets, timedelta};
use crate::services::session_service::{SessionServiceDep, Tokens};
use crate::services::totp_service::TotpServiceDep;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.challenge_service": TOKEN_BYTES, LIFETIME, MAX_ATTEMPTS, Challenge,
        ChallengeService, ChallengeServiceDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.challenge_service").docstring("The second step of a sign-in.").body(
        block![
            assign(TOKEN_BYTES, 32),
            assign(LIFETIME, py!(timedelta(minutes = 10))),
            assign(MAX_ATTEMPTS, 5),
            challenge_class(),
            challenge_service_class(),
            assign(
                ChallengeServiceDep,
                py!(Annotated[(ChallengeService, Depends(ChallengeService))])
            )
        ],
    )
}

fn challenge_class() -> ClassDef {
    names!(token);
    class(Challenge).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What a client gets for a password where a code is asked for too."),
        annotate(token, str)
    ])
}

fn challenge_service_class() -> ClassDef {
    names!(session, signer, totp, sessions, lockout);
    class(ChallengeService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for the second step."),
        annotate(session, SessionDep),
        annotate(signer, SignerDep),
        annotate(totp, TotpServiceDep),
        annotate(sessions, SessionServiceDep),
        annotate(lockout, LockoutDep),
        open(),
        answer(),
        claim()
    ])
}

fn open() -> FunctionDef {
    names!(user, now, token, challenge);
    async_def("open").params([untyped("self"), param(user, User)]).returns(Challenge).body(block![
        docstring("Note that the password was right; those that ran out are removed."),
        assign(py!((now, token)), py!((utcnow(), secrets.token_urlsafe(TOKEN_BYTES)))),
        do_(py!(self
            .session
            .execute(
                delete(LoginChallenge)
                    .r#where(LoginChallenge.user_id == user.id, LoginChallenge.expires_at <= now)
            )
            .await)),
        assign(
            challenge,
            py!(LoginChallenge(
                user_id = user.id,
                token_hash = self.signer.digest(Purpose.CHALLENGE, token),
                expires_at = now + LIFETIME
            ))
        ),
        do_(py!(self.session.add(challenge))),
        do_(py!(self.session.flush().await)),
        return_(py!(Challenge(token)))
    ])
}

fn answer() -> FunctionDef {
    names!(token, code, challenge_id, user, factor);
    async_def("answer")
        .params([untyped("self"), param(token, str), param(code, str)])
        .returns(Tokens)
        .body(block![
            docstring("Open a session for a challenge and a right code; a challenge is good once."),
            assign(py!((challenge_id, user)), py!(self.claim(token).await)),
            do_(py!(self.lockout.enter(user.email).await)),
            assign(factor, py!(self.totp.lock(user).await)),
            if_(
                py!(factor == None || !self.totp.judge(factor, code).await),
                [raise(py!(UnauthorizedError("The code is wrong.", code = "wrong_code")))]
            ),
            do_(py!(self
                .session
                .execute(delete(LoginChallenge).r#where(LoginChallenge.id == challenge_id))
                .await)),
            do_(py!(self.lockout.lift(user.email).await)),
            return_(py!(self.sessions.open(user).await))
        ])
}

fn claim() -> FunctionDef {
    names!(token, token_hashes, spent, found, statement, user);
    async_def("claim")
        .params([untyped("self"), param(token, str)])
        .returns(py!(tuple[(UUID, User)]))
        .body(block![
            docstring(
                "Spend an attempt at a challenge, and lock it.\n\
                 \n\
                 What happens before the code is judged rolls the attempt back."
            ),
            assign(token_hashes, py!(self.signer.digests(Purpose.CHALLENGE, token))),
            assign(
                spent,
                py!(update(LoginChallenge)
                    .r#where(
                        LoginChallenge.token_hash.in_(token_hashes),
                        LoginChallenge.attempts < MAX_ATTEMPTS,
                        LoginChallenge.expires_at > utcnow()
                    )
                    .values(attempts = LoginChallenge.attempts + 1)
                    .returning(LoginChallenge.id, LoginChallenge.user_id))
            ),
            assign(found, py!(self.session.execute(spent).await.one_or_none())),
            if_(
                py!(found != None),
                block![
                    assign(
                        statement,
                        py!(select(User).r#where(User.id == found[1], User.is_active))
                    ),
                    assign(user, py!(self.session.scalar(statement).await)),
                    if_(py!(user != None), [return_(py!((found[0], user)))])
                ]
            ),
            raise(py!(UnauthorizedError(
                "Sign in with the password again.",
                code = "invalid_challenge"
            )))
        ])
}
