//! `backend/app/services/me_service.py`: the account of the caller: its address and its end.

use crate::core::database::{SessionDep, flush};
use crate::core::errors::NotFoundError;
use crate::core::passwords::PasswordHasherDep;
use crate::core::rbac::SignedIn;
use crate::core::security::{Purpose, SignerDep};
use crate::core::settings::SettingsDep;
use crate::models::base::utcnow;
use crate::models::user::User;
use crate::python::builtins::str;
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::select;
use crate::python::standard::{Annotated, dataclass, timedelta};
use crate::services::email_service::{
    Mail, deletion_notice, email_change_mail, email_change_notice, registration_notice,
};
use crate::services::organization_service::OrganizationServiceDep;
use crate::services::session_service::SessionServiceDep;
use crate::services::totp_service::TotpServiceDep;
use crate::spec::{Payer, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.me_service": MeService, MeServiceDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.services.me_service")
        .docstring("The account of the caller: its address and its end.")
        .body(block![
            me_service_class(spec),
            assign(MeServiceDep, py!(Annotated[(MeService, Depends(MeService))]))
        ])
}

fn me_service_class(spec: &Spec) -> ClassDef {
    let has_totp = spec.auth.has_totp();
    names!(session, settings, hasher, signer, sessions, organizations, totp);
    class(MeService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for an account that is signed in."),
        annotate(session, SessionDep),
        annotate(settings, SettingsDep),
        annotate(hasher, PasswordHasherDep),
        annotate(signer, SignerDep),
        annotate(sessions, SessionServiceDep),
        annotate(organizations, OrganizationServiceDep),
        has_totp.then(|| annotate(totp, TotpServiceDep)),
        me_service_ask_for_email(),
        me_service_confirm_email(),
        me_service_delete(spec),
        me_service_email_change_token()
    ])
}

fn me_service_ask_for_email() -> FunctionDef {
    names!(user, email, token, taken);
    async_def("ask_for_email")
        .params([untyped("self"), param(user, User), param(email, str)])
        .returns(Mail)
        .body(block![
            docstring("Write to a new address; the caller learns nothing about who has it."),
            assign(token, py!(self.email_change_token(user, email))),
            assign(
                taken,
                py!(self.session.scalar(select(User.id).r#where(User.email == email)).await)
            ),
            if_(py!(taken != None), [return_(py!(registration_notice(email)))]),
            return_(py!(email_change_mail(email, token)))
        ])
}

fn me_service_confirm_email() -> FunctionDef {
    names!(signed_in, token, user, old_email, claims);
    async_def("confirm_email")
        .params([untyped("self"), param(signed_in, SignedIn), param(token, str)])
        .returns(Mail)
        .body(block![
            docstring(
                "Take over the address that the token was mailed to.\n\
                 \n\
                 The mail that is returned goes to the old address, in case somebody else did\n\
                 this. Other sessions end."
            ),
            assign(py!((user, old_email)), py!((signed_in.user, signed_in.user.email))),
            assign(claims, py!(self.signer.read(Purpose.EMAIL_CHANGE, token) || dict!())),
            if_(
                py!(claims.get("sub") != str(user.id) || claims.get("old") != old_email),
                [raise(py!(NotFoundError("The token is not valid.", code = "invalid_token")))]
            ),
            assign(py!((user.email, user.email_verified_at)), py!((claims["new"], utcnow()))),
            do_(py!(flush(self.session, conflict = "This address has an account already.").await)),
            do_(py!(self.sessions.end_all(user, keep = signed_in.session).await)),
            return_(py!(email_change_notice(old_email)))
        ])
}

fn me_service_delete(spec: &Spec) -> FunctionDef {
    let (has_totp, pays) = (spec.auth.has_totp(), spec.has_payer(Payer::User));
    names!(user, email);
    async_def("delete").params([untyped("self"), param(user, User)]).returns(Mail).body(block![
        docstring(
            "Remove an account, and every organization in which there is nobody else.\n\
                 \n\
                 A row without personal data stays behind, so that what the user did in other\n\
                 organizations is still somebody's."
        ),
        assign(email, py!(user.email)),
        do_(py!(self.organizations.leave_all(user).await)),
        do_(py!(self.sessions.end_all(user).await)),
        has_totp.then(|| do_(py!(self.totp.forget(user).await))),
        assign(py!(user.email), py!(f!("{}@deleted.invalid", user.id.hex))),
        assign(py!(user.password_hash), py!(self.hasher.decoy)),
        assign(py!((user.email_verified_at, user.deleted_at)), py!((None, utcnow()))),
        assign(py!(user.is_active), false),
        pays.then(|| assign(
            py!((user.stripe_customer_id, user.stripe_subscription_id)),
            py!((None, None))
        )),
        return_(py!(deletion_notice(email)))
    ])
}

fn me_service_email_change_token() -> FunctionDef {
    names!(user, email, lifetime, claims);
    def("email_change_token")
        .params([untyped("self"), param(user, User), param(email, str)])
        .returns(str)
        .body(block![
            docstring("Issue a token that is good for one change of the address."),
            assign(lifetime, py!(timedelta(seconds = self.settings.verification_token_seconds))),
            assign(claims, py!(dict!("old" => user.email, "new" => email))),
            return_(py!(self.signer.sign(Purpose.EMAIL_CHANGE, user.id, lifetime, claims)))
        ])
}
