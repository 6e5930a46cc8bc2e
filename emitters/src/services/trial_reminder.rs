//! `backend/app/services/trial_reminder.py`: payers hear in time that a trial ends.

use crate::core::jobs::JobKind;
use crate::core::payers::payer_model;
use crate::core::plans::SubscriptionStatus;
use crate::models::base::utcnow;
use crate::python::builtins::{bool, len};
use crate::python::sqlalchemy::select;
use crate::python::standard::timedelta;
use crate::services::billing_post::{BillingPost, OwnTrialEnding};
use crate::services::job_context::JobContext;
use crate::services::maintenance::Nothing;
use crate::spec::Billing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.trial_reminder": NOTICE, BATCH, REMIND_OF_TRIALS, remind_of_trials, has_more;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    module("app.services.trial_reminder")
        .docstring(
            "Payers hear in time that a trial ends.\n\nStripe knows nothing of it, and \
             tells nobody.",
        )
        .body(block![
            assign(NOTICE, py!(timedelta(days = 3))),
            assign(BATCH, 100),
            assign(REMIND_OF_TRIALS, py!(JobKind("remind_of_trials", Nothing))),
            remind_of_trials_def(),
            has_more_def(billing)
        ])
}

fn remind_of_trials_def() -> FunctionDef {
    names!(context, _payload);
    async_def(remind_of_trials)
        .params([param(context, JobContext), param(_payload, Nothing)])
        .returns(none())
        .body(block![
            docstring("Write once about each trial that ends soon."),
            while_(py!(has_more(context).await), [pass()])
        ])
}

fn has_more_def(billing: &Billing) -> FunctionDef {
    let model = payer_model(billing);
    names!(context, resources, post, now, statement, session, payers, payer, ends_at);
    async_def(has_more).params([param(context, JobContext)]).returns(bool).body(block![
        docstring("Write about some trials, and tell whether others may be left."),
        assign(resources, py!(context.resources)),
        assign(post, py!(BillingPost(resources.settings, resources.sealer))),
        assign(now, py!(utcnow())),
        assign(
            statement,
            py!(select(model)
                .r#where(
                    model.subscription_status == SubscriptionStatus.TRIALING,
                    model.stripe_subscription_id.is_(None),
                    model.trial_reminded_at.is_(None),
                    model.trial_ends_at > now,
                    model.trial_ends_at <= now + NOTICE
                )
                .order_by(model.id)
                .limit(BATCH)
                .with_for_update(skip_locked = true))
        ),
        async_with_as(
            py!(context.session()),
            session,
            block![
                assign(payers, py!(session.scalars(statement).await.all())),
                for_(
                    payer,
                    payers,
                    block![
                        assign(py!(payer.trial_reminded_at), now),
                        assign(ends_at, py!(payer.trial_ends_at)),
                        if_(
                            py!(ends_at != None),
                            [do_(py!(post.tell(session, payer, OwnTrialEnding(ends_at)).await))]
                        )
                    ]
                )
            ]
        ),
        return_(py!(len(payers) == BATCH))
    ])
}
