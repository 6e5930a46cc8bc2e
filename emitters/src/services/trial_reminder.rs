//! `backend/app/services/trial_reminder.py`: owners hear in time that a trial ends.

use crate::core::jobs::JobKind;
use crate::core::plans::SubscriptionStatus;
use crate::models::base::utcnow;
use crate::models::organization::Organization;
use crate::python::builtins::{bool, len};
use crate::python::sqlalchemy::select;
use crate::python::standard::timedelta;
use crate::services::billing_post::{BillingPost, OwnTrialEnding};
use crate::services::job_context::JobContext;
use crate::services::maintenance::Nothing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.trial_reminder": NOTICE, BATCH, REMIND_OF_TRIALS, remind_of_trials, has_more;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.trial_reminder")
        .docstring(
            "Owners hear in time that the trial of a new organization ends.\n\nStripe knows nothing of it, and \
             tells nobody.",
        )
        .body(block![
            assign(NOTICE, py!(timedelta(days = 3))),
            assign(BATCH, 100),
            assign(REMIND_OF_TRIALS, py!(JobKind("remind_of_trials", Nothing))),
            remind_of_trials_def(),
            has_more_def()
        ])
}

fn remind_of_trials_def() -> FunctionDef {
    names!(context, _payload);
    async_def(remind_of_trials)
        .params([param(context, JobContext), param(_payload, Nothing)])
        .returns(none())
        .body(block![
            docstring("Write once to the owners of each organization whose trial ends soon."),
            while_(py!(has_more(context).await), [pass()])
        ])
}

fn has_more_def() -> FunctionDef {
    names!(context, resources, post, now, statement, session, organizations, organization, ends_at);
    async_def(has_more).params([param(context, JobContext)]).returns(bool).body(block![
        docstring("Write to some owners, and tell whether others may be left."),
        assign(resources, py!(context.resources)),
        assign(post, py!(BillingPost(resources.settings, resources.sealer))),
        assign(now, py!(utcnow())),
        assign(
            statement,
            py!(select(Organization)
                .r#where(
                    Organization.subscription_status == SubscriptionStatus.TRIALING,
                    Organization.stripe_subscription_id.is_(None),
                    Organization.trial_reminded_at.is_(None),
                    Organization.trial_ends_at > now,
                    Organization.trial_ends_at <= now + NOTICE
                )
                .order_by(Organization.id)
                .limit(BATCH)
                .with_for_update(skip_locked = true))
        ),
        async_with_as(
            py!(context.session()),
            session,
            block![
                assign(organizations, py!(session.scalars(statement).await.all())),
                for_(
                    organization,
                    organizations,
                    block![
                        assign(py!(organization.trial_reminded_at), now),
                        assign(ends_at, py!(organization.trial_ends_at)),
                        if_(
                            py!(ends_at != None),
                            [do_(py!(post
                                .tell(session, organization, OwnTrialEnding(ends_at))
                                .await))]
                        )
                    ]
                )
            ]
        ),
        return_(py!(len(organizations) == BATCH))
    ])
}
