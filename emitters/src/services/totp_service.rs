//! `backend/app/services/totp_service.py`: one-time codes: how they begin, what is a right one, how they end.

use crate::core::database::{SessionDep, flush};
use crate::core::errors::{ConflictError, ForbiddenError, TooManyRequestsError};
use crate::core::security::{Purpose, SignerDep};
use crate::models::base::utcnow;
use crate::models::totp::{BackupCode, TotpFactor};
use crate::models::user::User;
use crate::python::builtins::{bool, int, list, min, range, str};
use crate::python::fastapi::Depends;
use crate::python::pyotp::{TOTP, random_base32};
use crate::python::sqlalchemy::{delete, func, select, update};
use crate::python::standard::{
    Annotated, dataclass, datetime, hmac, math, secrets, timedelta, unicodedata,
};
use crate::services::email_service::PRODUCT;
use crate::services::outbox::SealerDep;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.totp_service": STEP_SECONDS, BACKUP_CODES, BACKUP_CODE_BYTES, MAX_FAILURES,
        LOCKOUT, MAX_DOUBLINGS, TotpService, provisioning_uri, current_step, bare, TotpServiceDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.totp_service")
        .docstring("One-time codes: how they begin, what is a right one, how they end.")
        .body(block![
            assign(STEP_SECONDS, 30),
            assign(BACKUP_CODES, 10),
            assign(BACKUP_CODE_BYTES, 8),
            assign(MAX_FAILURES, 10).comment(
                "Wrong codes in a row, whatever they are tried on (NIST SP 800-63B 5.2.2)."
            ),
            assign(LOCKOUT, py!(timedelta(minutes = 15))),
            assign(MAX_DOUBLINGS, 6)
                .comment("Each wrong code after a lock doubles the next: up to 16 hours."),
            totp_service_class(),
            provisioning_uri_def(),
            current_step_def(),
            bare_def(),
            assign(TotpServiceDep, py!(Annotated[(TotpService, Depends(TotpService))]))
        ])
}

fn totp_service_class() -> ClassDef {
    names!(session, signer, sealer);
    class(TotpService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for one-time codes."),
        annotate(session, SessionDep),
        annotate(signer, SignerDep),
        annotate(sealer, SealerDep),
        enroll(),
        enable(),
        disable(),
        renew_backup_codes(),
        backup_codes_left(),
        require_code(),
        forget(),
        lock(),
        unlock(),
        judge(),
        matches(),
        use_step(),
        use_backup_code(),
        issue_backup_codes(),
        refuse_disabled()
    ])
}

fn enroll() -> FunctionDef {
    names!(user, secret, factor);
    async_def("enroll").params([untyped("self"), param(user, User)]).returns(str).body(block![
        docstring(
            "Make a secret, which takes effect with its first code.\n\
             \n\
             One that never had a code is replaced: an enrolment that was given up locks\n\
             nobody out."
        ),
        assign(factor, py!(self.lock(user).await)),
        if_(
            py!(user.totp_enabled_at != None),
            [raise(py!(ConflictError("One-time codes are on already.", code = "totp_enabled")))]
        ),
        assign(secret, py!(random_base32())),
        if_(
            py!(factor == None),
            block![
                assign(factor, py!(TotpFactor(user_id = user.id))),
                do_(py!(self.session.add(factor)))
            ]
        ),
        assign(py!(factor.sealed_secret), py!(self.sealer.seal(secret))),
        do_(py!(flush(self.session, conflict = "Another enrolment has just begun.").await)),
        return_(secret)
    ])
}

fn enable() -> FunctionDef {
    names!(user, code, factor);
    async_def("enable")
        .params([untyped("self"), param(user, User), param(code, str)])
        .returns(py!(list[str]))
        .body(block![
            docstring("Ask for codes from now on; what is returned is shown once."),
            assign(factor, py!(self.lock(user).await)),
            if_(
                py!(factor == None || user.totp_enabled_at != None),
                [raise(py!(ConflictError("There is no enrolment.", code = "not_enrolled")))]
            ),
            if_(
                py!(!self.judge(factor, code).await),
                [raise(py!(ForbiddenError("The code is wrong.", code = "wrong_code")))]
            ),
            assign(py!(user.totp_enabled_at), py!(utcnow())),
            return_(py!(self.issue_backup_codes(user).await))
        ])
}

fn disable() -> FunctionDef {
    names!(user);
    async_def("disable").params([untyped("self"), param(user, User)]).returns(none()).body(block![
        docstring("Ask for codes no more; the backup codes go too."),
        do_(py!(self.lock(user).await)),
        do_(py!(self.refuse_disabled(user))),
        do_(py!(self.forget(user).await))
    ])
}

fn renew_backup_codes() -> FunctionDef {
    names!(user);
    async_def("renew_backup_codes")
        .params([untyped("self"), param(user, User)])
        .returns(py!(list[str]))
        .body(block![
            docstring("Replace the backup codes; what is returned is shown once."),
            do_(py!(self.lock(user).await)),
            do_(py!(self.refuse_disabled(user))),
            return_(py!(self.issue_backup_codes(user).await))
        ])
}

fn backup_codes_left() -> FunctionDef {
    names!(user, statement);
    async_def("backup_codes_left").params([untyped("self"), param(user, User)]).returns(int).body(
        block![
            docstring("Count the backup codes that were not used."),
            assign(
                statement,
                py!(select(func.count())
                    .select_from(BackupCode)
                    .r#where(BackupCode.user_id == user.id))
            ),
            return_(py!(self.session.scalar(statement).await || 0))
        ],
    )
}

fn require_code() -> FunctionDef {
    names!(user, code, factor);
    async_def("require_code")
        .params([untyped("self"), param(user, User), param(code, py!(str | None))])
        .returns(none())
        .body(block![
            docstring("Refuse a wrong code, or none, of a user who has codes."),
            assign(factor, py!(self.lock(user).await)),
            if_(py!(factor == None || user.totp_enabled_at == None), [return_none()]),
            if_(
                py!(code == None || !self.judge(factor, code).await),
                [raise(py!(ForbiddenError("The code is wrong.", code = "wrong_code")))]
            )
        ])
}

fn forget() -> FunctionDef {
    names!(user, model);
    async_def("forget").params([untyped("self"), param(user, User)]).returns(none()).body(block![
        docstring("Remove all that there is about the codes of a user."),
        for_(
            model,
            py!((TotpFactor, BackupCode)),
            [do_(py!(self.session.execute(delete(model).r#where(model.user_id == user.id)).await))]
        ),
        assign(py!(user.totp_enabled_at), none()),
        do_(py!(self.session.flush().await))
    ])
}

fn lock() -> FunctionDef {
    names!(user, statement, factor);
    async_def("lock")
        .params([untyped("self"), param(user, User)])
        .returns(py!(TotpFactor | None))
        .body(block![
            docstring("Lock the factor of a user, and see both as they are now."),
            assign(
                statement,
                py!(select(TotpFactor)
                    .r#where(TotpFactor.user_id == user.id)
                    .execution_options(populate_existing = true)
                    .with_for_update())
            ),
            assign(factor, py!(self.session.scalar(statement).await)),
            do_(py!(self.session.refresh(user, ["totp_enabled_at"]).await)),
            return_(factor)
        ])
}

fn unlock() -> FunctionDef {
    names!(user, of_user);
    async_def("unlock").params([untyped("self"), param(user, User)]).returns(none()).body(block![
        docstring("Forget wrong codes: the user has shown that the mailbox is theirs."),
        assign(of_user, py!(update(TotpFactor).r#where(TotpFactor.user_id == user.id))),
        do_(py!(self.session.execute(of_user.values(failures = 0, locked_until = None)).await))
    ])
}

fn judge() -> FunctionDef {
    names!(factor, code, now, until, is_right, locks);
    async_def("judge")
        .params([untyped("self"), param(factor, TotpFactor), param(code, str)])
        .returns(bool)
        .body(block![
            docstring(
                "Tell whether a code is right; the lock gives a burst no more tries.\n\
                 \n\
                 A wrong one is committed, because the request is about to fail."
            ),
            assign(py!((now, until)), py!((utcnow(), factor.locked_until))),
            if_(
                py!(until != None && now < until),
                [raise(py!(TooManyRequestsError(
                    "There were too many wrong codes.",
                    code = "account_locked",
                    retry_after = math.ceil((until - now).total_seconds())
                )))]
            ),
            assign(is_right, py!(self.matches(factor, code, now).await)),
            assign(py!(factor.failures), py!(if is_right { 0 } else { factor.failures + 1 })),
            if_(
                py!(factor.failures >= MAX_FAILURES),
                block![
                    assign(locks, py!(min(factor.failures - MAX_FAILURES, MAX_DOUBLINGS))),
                    assign(py!(factor.locked_until), py!(now + LOCKOUT * pow!(2, locks)))
                ]
            ),
            do_(py!(self.session.flush().await)),
            if_(py!(!is_right), [do_(py!(self.session.commit().await))]),
            return_(is_right)
        ])
}

fn matches() -> FunctionDef {
    names!(factor, code, now, text);
    async_def("matches")
        .params([
            untyped("self"),
            param(factor, TotpFactor),
            param(code, str),
            param(now, datetime),
        ])
        .returns(bool)
        .body(block![
            docstring("Compare a code with those of the device, or use a backup code up."),
            assign(text, py!(bare(code))),
            if_(
                py!(text.isascii() && text.isdecimal()),
                [return_(py!(self.use_step(factor, text, now)))]
            ),
            return_(py!(self.use_backup_code(factor, text).await))
        ])
}

fn use_step() -> FunctionDef {
    names!(factor, digits, now, totp, current, step, last, expected);
    def("use_step")
        .params([
            untyped("self"),
            param(factor, TotpFactor),
            param(digits, str),
            param(now, datetime),
        ])
        .returns(bool)
        .body(block![
            docstring("Accept the code of this time step or a neighbour, and none of them twice."),
            assign(totp, py!(TOTP(self.sealer.open(factor.sealed_secret)))),
            assign(last, py!(factor.last_step || 0)),
            assign(current, py!(current_step(now))),
            for_(
                step,
                py!(range(current - 1, current + 2)),
                block![
                    assign(expected, py!(totp.generate_otp(step))),
                    if_(
                        py!(step > last && hmac.compare_digest(expected, digits)),
                        block![assign(py!(factor.last_step), step), return_(true)]
                    )
                ]
            ),
            return_(false)
        ])
}

fn use_backup_code() -> FunctionDef {
    names!(factor, text, code_hashes, used);
    async_def("use_backup_code")
        .params([untyped("self"), param(factor, TotpFactor), param(text, str)])
        .returns(bool)
        .body(block![
            docstring("Use a backup code up, if it is one."),
            assign(code_hashes, py!(self.signer.digests(Purpose.BACKUP_CODE, text))),
            assign(
                used,
                py!(delete(BackupCode)
                    .r#where(
                        BackupCode.user_id == factor.user_id,
                        BackupCode.code_hash.in_(code_hashes)
                    )
                    .returning(BackupCode.id))
            ),
            return_(py!(self.session.scalar(used).await != None))
        ])
}

fn issue_backup_codes() -> FunctionDef {
    names!(user, codes, code, code_hash);
    async_def("issue_backup_codes")
        .params([untyped("self"), param(user, User)])
        .returns(py!(list[str]))
        .body(block![
            docstring("Make new backup codes; only keyed hashes of them are stored."),
            do_(py!(self
                .session
                .execute(delete(BackupCode).r#where(BackupCode.user_id == user.id))
                .await)),
            assign(
                codes,
                py!(list!(secrets.token_hex(BACKUP_CODE_BYTES) for _ in range(BACKUP_CODES)))
            ),
            for_(
                code,
                codes,
                block![
                    assign(code_hash, py!(self.signer.digest(Purpose.BACKUP_CODE, code))),
                    do_(py!(self
                        .session
                        .add(BackupCode(user_id = user.id, code_hash = code_hash))))
                ]
            ),
            do_(py!(self.session.flush().await)),
            return_(codes)
        ])
}

fn refuse_disabled() -> FunctionDef {
    names!(user);
    def("refuse_disabled").params([untyped("self"), param(user, User)]).returns(none()).body(
        block![
            docstring("Refuse what only a user with codes can do."),
            if_(
                py!(user.totp_enabled_at == None),
                [raise(py!(ConflictError("One-time codes are off.", code = "totp_disabled")))]
            )
        ],
    )
}

fn provisioning_uri_def() -> FunctionDef {
    names!(user, secret);
    def(provisioning_uri).params([param(user, User), param(secret, str)]).returns(str).body(block![
        docstring("Write a secret as the address that a device reads from a QR code."),
        return_(py!(TOTP(secret).provisioning_uri(name = user.email, issuer_name = PRODUCT)))
    ])
}

fn current_step_def() -> FunctionDef {
    names!(now);
    def(current_step).params([param(now, datetime)]).returns(int).body(block![
        docstring("Return the number of the time step (RFC 6238)."),
        return_(py!(floor_div!(int(now.timestamp()), STEP_SECONDS)))
    ])
}

fn bare_def() -> FunctionDef {
    names!(code);
    def(bare).params([param(code, str)]).returns(str).body(block![
        docstring("Read a code as it is meant: digits of any script, with or without spaces."),
        return_(py!("".join(unicodedata.normalize("NFKC", code).split()).lower()))
    ])
}
