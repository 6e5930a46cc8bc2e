//! `backend/app/services/billing_inbox.py`: events of the provider: stored once before they are answered, processed until done.

use crate::core::database::{Database, insert_once};
use crate::models::base::utcnow;
use crate::models::billing_event::{BillingEvent, BillingEventStatus};
use crate::python::builtins::{__name__, Exception, bool, int, len, list, min, str};
use crate::python::sqlalchemy::{AsyncSession, select, update};
use crate::python::standard::{dataclass, logging, secrets, timedelta};
use crate::services::billing_provider::Delivery;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.billing_inbox": logger, KEY, LEASE, FIRST_DELAY, LONGEST_DELAY, MAX_ATTEMPTS,
        LostClaimError, BillingInbox, insert_event, find_event, revive, delay, finish;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let docstring = "Events of the provider: stored once before they are answered, processed until done.\n\
                     \n\
                     A row is the event's place in the queue. Whoever claims it puts its next turn off by a\n\
                     lease, so that an event whose processing broke off comes up again by itself.";
    module("app.services.billing_inbox").docstring(docstring).body(block![
        assign(logger, py!(logging.getLogger(__name__))),
        assign(KEY, py!(("provider", "event_id"))).paragraph(),
        assign(LEASE, py!(timedelta(minutes = 2))),
        assign(FIRST_DELAY, py!(timedelta(seconds = 5))),
        assign(LONGEST_DELAY, py!(timedelta(hours = 1))),
        assign(MAX_ATTEMPTS, 16),
        lost_claim_error_class(),
        billing_inbox_class(),
        insert_event_def(),
        find_event_def(),
        revive_def(),
        delay_def(),
        finish_def()
    ])
}

fn lost_claim_error_class() -> ClassDef {
    class(LostClaimError).base(Exception).body(block![docstring(
        "Somebody else has finished the event, or is at it after the lease ran out."
    )])
}

fn billing_inbox_class() -> ClassDef {
    names!(database);
    class(BillingInbox).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The events, and what becomes of them."),
        annotate(database, Database),
        billing_inbox_store(),
        billing_inbox_claim(),
        billing_inbox_settle(),
        billing_inbox_give_up(),
        billing_inbox_postpone(),
        billing_inbox_replay()
    ])
}

fn billing_inbox_store() -> FunctionDef {
    names!(provider, delivery, session, event);
    async_def("store")
        .params([untyped("self"), param(provider, str), param(delivery, Delivery)])
        .returns(BillingEventStatus)
        .body(block![
            docstring(
                "Keep an event, once, and return what has become of it so far.\n\
                 \n\
                 One that failed before gets another chance by being delivered again."
            ),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    if_(
                        py!(insert_event(session, provider, delivery).await),
                        block![
                            do_(py!(session.commit().await)),
                            return_(py!(BillingEventStatus.RECEIVED))
                        ]
                    ),
                    assign(event, py!(find_event(session, provider, delivery.event_id).await)),
                    if_(
                        py!(is_!(event.status, BillingEventStatus.FAILED)),
                        block![do_(py!(revive(event))), do_(py!(session.commit().await))]
                    ),
                    return_(py!(event.status))
                ]
            )
        ])
}

fn billing_inbox_claim() -> FunctionDef {
    names!(now, is_due, first, statement, session, event);
    async_def("claim").params([untyped("self")]).returns(py!(BillingEvent | None)).body(block![
        docstring("Take the event whose turn it is; of two callers at once, one gets it."),
        assign(now, py!(utcnow())),
        assign(is_due, py!(BillingEvent.due_at <= now)),
        assign(
            first,
            py!(select(BillingEvent.id)
                .r#where(is_due)
                .order_by(BillingEvent.due_at)
                .limit(1)
                .with_for_update(skip_locked = true))
        ),
        assign(
            statement,
            py!(update(BillingEvent)
                .r#where(BillingEvent.id == first.scalar_subquery(), is_due)
                .values(attempts = BillingEvent.attempts + 1, due_at = now + LEASE)
                .returning(BillingEvent))
        ),
        async_with_as(
            py!(self.database.session()),
            session,
            block![
                assign(event, py!(session.scalar(statement).await)),
                do_(py!(session.commit().await)),
                return_(event)
            ]
        )
    ])
}

fn billing_inbox_settle() -> FunctionDef {
    names!(event, status, error, session);
    async_def("settle")
        .params([
            untyped("self"),
            param(event, BillingEvent),
            param(status, BillingEventStatus),
            param(error, py!(str | None)).default(none()),
        ])
        .returns(none())
        .body(block![
            docstring("Finish an event that changes nothing here."),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    do_(py!(finish(session, event, status, error).await)),
                    do_(py!(session.commit().await))
                ]
            )
        ])
}

fn billing_inbox_give_up() -> FunctionDef {
    names!(event, error);
    async_def("give_up")
        .params([untyped("self"), param(event, BillingEvent), param(error, str)])
        .returns(none())
        .body(block![
            docstring("Leave an event to a person."),
            do_(py!(logger.error("Event %s cannot be followed: %s", event.event_id, error))),
            do_(py!(self.settle(event, BillingEventStatus.FAILED, error).await))
        ])
}

fn billing_inbox_postpone() -> FunctionDef {
    names!(event, error, session);
    async_def("postpone")
        .params([untyped("self"), param(event, BillingEvent), param(error, str)])
        .returns(none())
        .body(block![
            docstring("Put an event off, longer each time, and give up in the end."),
            if_(
                py!(event.attempts >= MAX_ATTEMPTS),
                block![do_(py!(self.give_up(event, error).await)), return_none()]
            ),
            do_(py!(logger.warning("Event %s is put off: %s", event.event_id, error))),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    do_(py!(session
                        .execute(
                            update(BillingEvent)
                                .r#where(
                                    BillingEvent.id == event.id,
                                    BillingEvent.attempts == event.attempts,
                                    BillingEvent.handled_at.is_(None)
                                )
                                .values(due_at = utcnow() + delay(event.attempts), error = error)
                        )
                        .await)),
                    do_(py!(session.commit().await))
                ]
            )
        ])
}

fn billing_inbox_replay() -> FunctionDef {
    names!(event_id, chosen, session, events, event);
    async_def("replay")
        .params([untyped("self"), param(event_id, py!(str | None)).default(none())])
        .returns(int)
        .body(block![
            docstring("Give the events that failed another chance, or one that is named."),
            assign(
                chosen,
                py!(if event_id == None {
                    BillingEvent.status == BillingEventStatus.FAILED
                } else {
                    BillingEvent.event_id == event_id
                })
            ),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    assign(
                        events,
                        py!(list(session.scalars(select(BillingEvent).r#where(chosen)).await))
                    ),
                    for_(event, events, [do_(py!(revive(event)))]),
                    do_(py!(session.commit().await))
                ]
            ),
            return_(py!(len(events)))
        ])
}

fn insert_event_def() -> FunctionDef {
    names!(session, provider, delivery, values);
    async_def(insert_event)
        .params([param(session, AsyncSession), param(provider, str), param(delivery, Delivery)])
        .returns(bool)
        .body(block![
            docstring("Add an event unless it is there already."),
            assign(
                values,
                py!(dict!(
                    "provider" => provider,
                    "event_id" => delivery.event_id,
                    "type" => delivery.r#type,
                    "occurred_at" => delivery.occurred_at,
                    "payload" => delivery.payload,
                    "due_at" => utcnow()
                ))
            ),
            return_(py!(insert_once(session, BillingEvent, KEY, values).await))
        ])
}

fn find_event_def() -> FunctionDef {
    names!(session, provider, event_id, statement);
    async_def(find_event)
        .params([param(session, AsyncSession), param(provider, str), param(event_id, str)])
        .returns(BillingEvent)
        .body(block![
            docstring("Return a stored event, locked."),
            assign(
                statement,
                py!(select(BillingEvent)
                    .r#where(BillingEvent.provider == provider, BillingEvent.event_id == event_id))
            ),
            return_(py!(session.scalars(statement.with_for_update()).await.one()))
        ])
}

fn revive_def() -> FunctionDef {
    names!(event);
    def(revive).params([param(event, BillingEvent)]).returns(none()).body(block![
        docstring("Let an event be processed again, from its first attempt."),
        assign(py!(event.status), py!(BillingEventStatus.RECEIVED)),
        assign(py!(event.due_at), py!(utcnow())),
        assign(py!(event.attempts), 0),
        assign(py!(event.handled_at), none())
    ])
}

fn delay_def() -> FunctionDef {
    names!(attempts, longest);
    def(delay).params([param(attempts, int)]).returns(timedelta).body(block![
        docstring("Return the time until the next attempt: twice as long each time, or so."),
        assign(longest, py!(min(FIRST_DELAY * (1 << attempts), LONGEST_DELAY))),
        return_(py!(longest * (0.5 + secrets.SystemRandom().random() / 2)))
    ])
}

fn finish_def() -> FunctionDef {
    names!(session, event, status, error, finished);
    async_def(finish)
        .params([
            param(session, AsyncSession),
            param(event, BillingEvent),
            param(status, BillingEventStatus),
            param(error, py!(str | None)).default(none()),
        ])
        .returns(none())
        .body(block![
            docstring("Note what became of an event, in the transaction in which it became so."),
            assign(
                finished,
                py!(session
                    .scalar(
                        update(BillingEvent)
                            .r#where(
                                BillingEvent.id == event.id,
                                BillingEvent.attempts == event.attempts,
                                BillingEvent.handled_at.is_(None)
                            )
                            .values(
                                status = status,
                                handled_at = utcnow(),
                                due_at = None,
                                error = error
                            )
                            .returning(BillingEvent.id)
                    )
                    .await)
            ),
            if_(py!(finished == None), [raise(LostClaimError)])
        ])
}
