//! `backend/app/services/trial_service.py`: who has had a trial.

use crate::core::database::{SessionDep, insert_once};
use crate::core::security::{Purpose, SignerDep};
use crate::models::trial_redemption::TrialRedemption;
use crate::python::builtins::{bool, frozenset, str};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::select;
use crate::python::standard::{Annotated, UUID, dataclass};
use crate::spec::Billing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.trial_service": DOTLESS, TrialService, TrialServiceDep, unaliased;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    module("app.services.trial_service").docstring("Who has had a trial.").body(block![
        assign(DOTLESS, py!(frozenset(set!("gmail.com", "googlemail.com"))))
            .comment("Where dots in an address make no difference."),
        trial_service_class(billing),
        unaliased_def(),
        assign(TrialServiceDep, py!(Annotated[(TrialService, Depends(TrialService))]))
    ])
}

fn trial_service_class(billing: &Billing) -> ClassDef {
    names!(session, signer);
    class(TrialService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring(match billing.card_trial() {
            Some(_) => "The rules for trials: one for each mailbox, and one for each card.",
            None => "The rules for trials: one for each mailbox, whatever accounts it has had.",
        }),
        annotate(session, SessionDep),
        annotate(signer, SignerDep),
        billing.own_trial().map(|_| trial_service_redeem()),
        billing.card_trial().map(|_| block![
            trial_service_claim_mailbox(),
            trial_service_claim_card(),
            trial_service_claim()
        ])
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

fn trial_service_claim_mailbox() -> FunctionDef {
    names!(email, payer_id);
    async_def("claim_mailbox")
        .params([untyped("self"), param(email, str), param(payer_id, UUID)])
        .returns(bool)
        .body(block![
            docstring("Use up the trial of a mailbox for a payer, and tell whether it is theirs."),
            return_(py!(self.claim(unaliased(email), payer_id).await))
        ])
}

fn trial_service_claim_card() -> FunctionDef {
    names!(fingerprint, payer_id);
    async_def("claim_card")
        .params([untyped("self"), param(fingerprint, str), param(payer_id, UUID)])
        .returns(bool)
        .body(block![
            docstring("Use up the trial of a card for a payer, and tell whether it is theirs."),
            return_(py!(self.claim(f!("card {}", fingerprint), payer_id).await))
        ])
}

fn trial_service_claim() -> FunctionDef {
    names!(subject, payer_id, digests, holder, values);
    async_def("claim")
        .params([untyped("self"), param(subject, str), param(payer_id, UUID)])
        .returns(bool)
        .body(block![
            docstring("Use up the trial of something; who asks first has it, and has it again."),
            assign(digests, py!(self.signer.digests(Purpose.TRIAL, subject))),
            assign(
                holder,
                py!(select(TrialRedemption.payer_id).r#where(TrialRedemption.digest.in_(digests)))
            ),
            if_(
                py!(self.session.execute(holder).await.first() == None),
                block![
                    assign(
                        values,
                        py!(dict!(
                            "digest" => self.signer.digest(Purpose.TRIAL, subject),
                            "payer_id" => payer_id
                        ))
                    ),
                    do_(py!(insert_once(self.session, TrialRedemption, ["digest"], values).await))
                ]
            ),
            return_(py!(self.session.scalar(holder).await == payer_id))
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
