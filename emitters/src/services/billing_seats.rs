//! `backend/app/services/billing_seats.py`: what is paid for each member.

use crate::core::database::Database;
use crate::core::jobs::JobKind;
use crate::core::plans::{PLANS, Plan, SubscriptionStatus};
use crate::models::membership::Membership;
use crate::models::organization::Organization;
use crate::python::builtins::{__name__, Exception, bool, frozenset, int, len, list, str, tuple};
use crate::python::sqlalchemy::{AsyncSession, func, select};
use crate::python::standard::{NamedTuple, UUID, logging};
use crate::services::billing_connection::connected_provider;
use crate::services::billing_sync::{BillingSync, build_sync};
use crate::services::job_context::JobContext;
use crate::services::maintenance::Nothing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.billing_seats": logger, PER_MEMBER, PAYS, SYNC_SEATS, SeatsError, Seats, seats_of,
        sync_seats, changed_seats, is_told;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    names!(plan);
    module("app.services.billing_seats")
        .docstring(
            "What is paid for each member: the provider hears how many there are.\n\
             \n\
             It hears so a few minutes later, so that many who join at once are one change.",
        )
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(
                PER_MEMBER,
                py!(tuple(generator!(
                    plan.name
                    for plan in PLANS.values()
                    if plan.price != None && plan.price.per_member
                )))
            )
            .paragraph(),
            assign(
                PAYS,
                py!(frozenset(set!(
                    SubscriptionStatus.TRIALING,
                    SubscriptionStatus.ACTIVE,
                    SubscriptionStatus.PAST_DUE
                )))
            ),
            assign(SYNC_SEATS, py!(JobKind("sync_seats", Nothing))),
            class(SeatsError)
                .base(Exception)
                .body([docstring("Some payers pay for another number of members than they have.")]),
            seats_class(),
            seats_of_def(),
            sync_seats_def(),
            changed_seats_def(),
            is_told_def()
        ])
}

fn seats_class() -> ClassDef {
    names!(payer_id, subscription_id, members);
    class(Seats).base(NamedTuple).body(block![
        docstring("How many members somebody is to pay for."),
        annotate(payer_id, UUID),
        annotate(subscription_id, str),
        annotate(members, int)
    ])
}

fn seats_of_def() -> FunctionDef {
    names!(session, payer, plan, statement);
    async_def(seats_of)
        .params([param(session, AsyncSession), param(payer, Organization), param(plan, Plan)])
        .returns(int)
        .body(block![
            docstring("Return how many times a plan is paid for: once, or for each member."),
            if_(py!(not_in!(plan.name, PER_MEMBER)), [return_(1)]),
            assign(
                statement,
                py!(select(func.count())
                    .select_from(Membership)
                    .r#where(Membership.organization_id == payer.id))
            ),
            return_(py!(session.scalar(statement).await || 1))
        ])
}

fn sync_seats_def() -> FunctionDef {
    names!(context, _payload, resources, provider, sync, failed, seats);
    async_def(sync_seats)
        .params([param(context, JobContext), param(_payload, Nothing)])
        .returns(none())
        .body(block![
            docstring("Tell the provider of each number of members that has changed."),
            assign(resources, py!(context.resources)),
            async_with_as(
                py!(connected_provider(resources.settings)),
                provider,
                block![
                    if_(py!(!provider.is_connected), [return_none()]),
                    assign(sync, py!(build_sync(resources.settings, resources.database, provider))),
                    assign(
                        failed,
                        py!(list!(
                            seats.payer_id
                            for seats in changed_seats(resources.database).await
                            if !is_told(sync, seats).await
                        ))
                    )
                ]
            ),
            if_(py!(failed), [raise(py!(SeatsError(f!("{} payers are left", len(failed)))))])
        ])
}

fn changed_seats_def() -> FunctionDef {
    names!(database, members, statement, session, rows);
    async_def(changed_seats).params([param(database, Database)]).returns(py!(list[Seats])).body(
        block![
            docstring(
                "Return who has another number of members than is paid for.\n\
                 \n\
                 What a price that no plan has is counted by, nobody knows here."
            ),
            assign(members, py!(func.count(Membership.id))),
            assign(
                statement,
                py!(select(Organization.id, Organization.stripe_subscription_id, members)
                    .join(Membership, Membership.organization_id == Organization.id)
                    .r#where(
                        Organization.plan.in_(PER_MEMBER),
                        Organization.subscription_status.in_(PAYS),
                        Organization.stripe_subscription_id.is_not(None),
                        Organization.price_is_unknown.is_(false)
                    )
                    .group_by(
                        Organization.id,
                        Organization.stripe_subscription_id,
                        Organization.paid_seats
                    )
                    .having(members != Organization.paid_seats)
                    .order_by(Organization.id))
            ),
            async_with_as(
                py!(database.session()),
                session,
                [assign(rows, py!(session.execute(statement).await.all()))]
            ),
            return_(py!(list!(
                Seats(payer_id, subscription_id, count)
                for (payer_id, subscription_id, count) in rows
                if subscription_id != None
            )))
        ],
    )
}

fn is_told_def() -> FunctionDef {
    names!(sync, seats);
    async_def(is_told).params([param(sync, BillingSync), param(seats, Seats)]).returns(bool).body(
        block![
            docstring(
                "Tell the provider of a number of members, or say in the log why not.\n\
                 \n\
                 The others have their turn all the same."
            ),
            try_(block![
                do_(py!(sync.provider.change_quantity(seats.subscription_id, seats.members).await)),
                do_(py!(sync.refresh(seats.payer_id).await))
            ])
            .except(
                Exception,
                block![
                    do_(py!(logger
                        .exception("The seats of payer %s are left as they were", seats.payer_id))),
                    return_(false)
                ]
            ),
            return_(true)
        ],
    )
}
