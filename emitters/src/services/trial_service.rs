//! `backend/app/services/trial_service.py`: who has had a trial.

use crate::core::database::{SessionDep, insert_once};
use crate::core::security::{Purpose, SignerDep};
use crate::models::trial_redemption::TrialRedemption;
use crate::python::builtins::{bool, frozenset, str};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::select;
use crate::python::standard::{Annotated, dataclass};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.trial_service": DOTLESS, TrialService, TrialServiceDep, unaliased;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.trial_service").docstring("Who has had a trial.").body(block![
        assign(DOTLESS, py!(frozenset(set!("gmail.com", "googlemail.com"))))
            .comment("Where dots in an address make no difference."),
        trial_service_class(),
        unaliased_def(),
        assign(TrialServiceDep, py!(Annotated[(TrialService, Depends(TrialService))]))
    ])
}

fn trial_service_class() -> ClassDef {
    names!(session, signer);
    class(TrialService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for trials: one for each mailbox, whatever accounts it has had."),
        annotate(session, SessionDep),
        annotate(signer, SignerDep),
        trial_service_redeem()
    ])
}

fn trial_service_redeem() -> FunctionDef {
    names!(email, mailbox, digests, statement, values);
    async_def("redeem").params([untyped("self"), param(email, str)]).returns(bool).body(block![
        docstring("Use up the trial of a mailbox, and tell whether it still had one."),
        assign(mailbox, py!(unaliased(email))),
        assign(digests, py!(self.signer.digests(Purpose.TRIAL, mailbox))),
        assign(
            statement,
            py!(select(TrialRedemption.id).r#where(TrialRedemption.digest.in_(digests)))
        ),
        if_(py!(self.session.scalar(statement).await != None), [return_(false)]),
        assign(values, py!(dict!("digest" => self.signer.digest(Purpose.TRIAL, mailbox)))),
        return_(py!(insert_once(self.session, TrialRedemption, ["digest"], values).await))
    ])
}

fn unaliased_def() -> FunctionDef {
    names!(email, local, domain, _at);
    def(unaliased).params([param(email, str)]).returns(str).body(block![
        docstring("Return the mailbox behind an address: without what follows a plus sign."),
        assign(py!((local, _at, domain)), py!(email.lower().rpartition("@"))),
        assign(local, py!(local.partition("+")[0])),
        if_(
            py!(in_!(domain, DOTLESS)),
            block![assign(local, py!(local.replace(".", ""))), assign(domain, "gmail.com")]
        ),
        return_(py!(f!("{}@{}", local, domain)))
    ])
}
