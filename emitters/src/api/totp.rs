//! `backend/app/api/totp.py`: one-time codes as a second factor.

use crate::api::auth::{session_answer, session_handed_over};
use crate::core::cookies::CookiesDep;
use crate::core::rate_limit::{AttemptsDep, CODES};
use crate::core::rbac::{SignedInDep, require_fresh_sign_in};
use crate::core::settings::SettingsDep;
use crate::python::fastapi::{APIRouter, Depends, status};
use crate::schemas::totp::{BackupCodes, ChallengeAnswer, TotpCode, TotpEnrolment, TotpState};
use crate::services::challenge_service::ChallengeServiceDep;
use crate::services::email_service::{totp_off_notice, totp_on_notice};
use crate::services::outbox::OutboxDep;
use crate::services::totp_service::{TotpServiceDep, provisioning_uri};
use crate::spec::{Auth, AuthMode, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.totp": router, answer_challenge, read_totp, enroll_totp, enable_totp, disable_totp,
        renew_backup_codes;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.api.totp").docstring("One-time codes as a second factor.").body(block![
        assign(router, py!(APIRouter(prefix = "/auth/totp", tags = ["totp"]))),
        answer_challenge_def(&spec.auth),
        read_totp_def(),
        enroll_totp_def(),
        enable_totp_def(),
        disable_totp_def(),
        renew_backup_codes_def()
    ])
}

/// `dependencies=[Depends(require_fresh_sign_in)]`
fn fresh() -> Arg {
    kw("dependencies", py!([Depends(require_fresh_sign_in)]))
}

fn answer_challenge_def(auth: &Auth) -> FunctionDef {
    names!(attempts, payload, challenges, settings, tokens, cookies);
    let read = session_handed_over(auth.mode, payload, tokens, settings, cookies);
    async_def(answer_challenge)
        .decorator(py!(router.post("/challenge")))
        .params([
            param(payload, ChallengeAnswer),
            param(challenges, ChallengeServiceDep),
            param(settings, SettingsDep),
            param(attempts, AttemptsDep),
        ])
        .params(auth.has_cookies().then(|| param(cookies, CookiesDep)))
        .returns(session_answer(auth.mode))
        .body(block![
            docstring(match auth.mode {
                AuthMode::Cookie => "Answer the challenge of a sign-in with a code.",
                AuthMode::Bearer | AuthMode::Both => {
                    "Exchange the challenge of a sign-in and a code for the tokens of a session."
                }
            }),
            do_(py!(attempts.spend(CODES, payload.challenge).await)),
            assign(tokens, py!(challenges.answer(payload.challenge, payload.code).await)),
            return_(read)
        ])
}

fn read_totp_def() -> FunctionDef {
    names!(signed_in, totp, left);
    async_def(read_totp)
        .decorator(py!(router.get("")))
        .params([param(signed_in, SignedInDep), param(totp, TotpServiceDep)])
        .returns(TotpState)
        .body(block![
            docstring("Tell whether codes are asked for."),
            assign(left, py!(totp.backup_codes_left(signed_in.user).await)),
            return_(py!(TotpState(
                enabled_at = signed_in.user.totp_enabled_at,
                backup_codes_left = left
            )))
        ])
}

fn enroll_totp_def() -> FunctionDef {
    names!(signed_in, totp, secret, uri);
    async_def(enroll_totp)
        .decorator(py!(router.post("/enroll", ..[fresh()])))
        .params([param(signed_in, SignedInDep), param(totp, TotpServiceDep)])
        .returns(TotpEnrolment)
        .body(block![
            docstring("Begin with one-time codes; nothing changes before the first one is shown."),
            assign(secret, py!(totp.enroll(signed_in.user).await)),
            assign(uri, py!(provisioning_uri(signed_in.user, secret))),
            return_(py!(TotpEnrolment(secret = secret, uri = uri)))
        ])
}

fn enable_totp_def() -> FunctionDef {
    names!(payload, signed_in, totp, outbox, codes);
    async_def(enable_totp)
        .decorator(py!(router.post("/enable", ..[fresh()])))
        .params([
            param(payload, TotpCode),
            param(signed_in, SignedInDep),
            param(totp, TotpServiceDep),
            param(outbox, OutboxDep),
        ])
        .returns(BackupCodes)
        .body(block![
            docstring("Show the first code; every sign-in asks for one from now on."),
            assign(codes, py!(totp.enable(signed_in.user, payload.code).await)),
            do_(py!(outbox.add(totp_on_notice(signed_in.user.email)))),
            return_(py!(BackupCodes(codes = codes)))
        ])
}

fn disable_totp_def() -> FunctionDef {
    names!(signed_in, totp, outbox);
    async_def(disable_totp)
        .decorator(py!(router.post(
            "/disable",
            status_code = status.HTTP_204_NO_CONTENT,
            ..[fresh()]
        )))
        .params([
            param(signed_in, SignedInDep),
            param(totp, TotpServiceDep),
            param(outbox, OutboxDep),
        ])
        .returns(none())
        .body(block![
            docstring("Do without one-time codes, and delete the backup codes."),
            do_(py!(totp.disable(signed_in.user).await)),
            do_(py!(outbox.add(totp_off_notice(signed_in.user.email))))
        ])
}

fn renew_backup_codes_def() -> FunctionDef {
    names!(signed_in, totp, codes);
    async_def(renew_backup_codes)
        .decorator(py!(router.post("/backup-codes", ..[fresh()])))
        .params([param(signed_in, SignedInDep), param(totp, TotpServiceDep)])
        .returns(BackupCodes)
        .body(block![
            docstring("Replace the backup codes; the old ones are worth nothing."),
            assign(codes, py!(totp.renew_backup_codes(signed_in.user).await)),
            return_(py!(BackupCodes(codes = codes)))
        ])
}
