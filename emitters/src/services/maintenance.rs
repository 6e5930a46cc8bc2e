//! `backend/app/services/maintenance.py`: tidying up: what nobody will ask for again.

use crate::core::idempotency::KEY_LIFETIME;
use crate::core::jobs::JobKind;
use crate::models::base::utcnow;
use crate::models::billing_event::{BillingEvent, BillingEventStatus};
use crate::models::email::Email;
use crate::models::idempotency_key::IdempotencyKey;
use crate::models::job::{Job, JobStatus};
use crate::python::pydantic::BaseModel;
use crate::python::sqlalchemy::delete;
use crate::python::standard::timedelta;
use crate::services::job_context::JobContext;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.maintenance": KEPT, FORGETTABLE, FOLLOWED, EVENTS_KEPT, Nothing, PRUNE, prune;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.services.maintenance")
        .docstring("Tidying up: what nobody will ask for again.")
        .body(block![
            assign(KEPT, py!(timedelta(days = 30))),
            assign(FORGETTABLE, py!((JobStatus.SUCCEEDED, JobStatus.CANCELED))),
            spec.billing.as_ref().map(|_| block![
                assign(FOLLOWED, py!((BillingEventStatus.PROCESSED, BillingEventStatus.SKIPPED))),
                assign(EVENTS_KEPT, py!(timedelta(days = 90)))
                    .comment("Longer than Stripe delivers an event again, which is a month.")
            ]),
            nothing_class(),
            assign(PRUNE, py!(JobKind("prune", Nothing))),
            prune_def(spec.billing.is_some())
        ])
}

fn nothing_class() -> ClassDef {
    class(Nothing).base(BaseModel).body([docstring("The payload of a job that needs none.")])
}

fn prune_def(bills: bool) -> FunctionDef {
    let expired = py!(IdempotencyKey.created_at < utcnow() - KEY_LIFETIME);
    names!(context, _payload, past, session);
    async_def(prune)
        .params([param(context, JobContext), param(_payload, Nothing)])
        .returns(none())
        .body(block![
            docstring(match bills {
                false => {
                    "Delete what is long done; dead jobs stay until a person has looked at them.\n\
                     \n\
                     A mail that could not be sent by now is of no use to anybody."
                }
                true => {
                    "Delete what is long done.\n\
                     \n\
                     Dead jobs, and events that failed, stay until a person has looked at them. A\n\
                     mail that could not be sent by now is of no use to anybody."
                }
            }),
            assign(past, py!(utcnow() - KEPT)),
            async_with_as(
                py!(context.session()),
                session,
                block![
                    do_(py!(session
                        .execute(
                            delete(Job)
                                .r#where(Job.status.in_(FORGETTABLE), Job.finished_at < past)
                        )
                        .await)),
                    do_(py!(session.execute(delete(Email).r#where(Email.created_at < past)).await)),
                    do_(py!(session.execute(delete(IdempotencyKey).r#where(expired)).await)),
                    bills.then(|| do_(py!(session
                        .execute(delete(BillingEvent).r#where(
                            BillingEvent.status.in_(FOLLOWED),
                            BillingEvent.handled_at < utcnow() - EVENTS_KEPT
                        ))
                        .await)))
                ]
            )
        ])
}
