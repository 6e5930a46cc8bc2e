//! `backend/app/services/billing_sync.py`: subscriptions: what the provider says about them, written to who pays.

use crate::core::billing::effective_plan;
use crate::core::database::Database;
use crate::core::payers::payer_model;
use crate::core::plans::{PlanName, SubscriptionStatus};
use crate::core::sealing::Sealer;
use crate::core::security::Signer;
use crate::core::settings::Settings;
use crate::models::base::utcnow;
use crate::models::billing_event::{BillingEvent, BillingEventStatus};
use crate::python::builtins::{__name__, Exception, bool, dict, frozenset, range, setattr, str};
use crate::python::sqlalchemy::select;
use crate::python::standard::{Any, UUID, dataclass, datetime, logging};
use crate::services::billing_inbox::{BillingInbox, finish};
use crate::services::billing_post::{BillingPost, TrialRefused};
use crate::services::billing_provider::{
    BillingProvider, Notice, PaymentFailed, ProviderError, Subscription, TrialEnding,
    UnusableEventError,
};
use crate::services::trial_service::TrialService;
use crate::spec::Billing;
use astgen_pyast::Import;
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.billing_sync": logger, MAX_RACES, ENDED, NOT_BEGUN, RaceError, BillingSync, build_sync, put,
        farewell, stopgap, changes_to, plan_without, is_premature, past_due_since;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    let docstring = "Subscriptions: what the provider says about them, written to who pays.";
    let model = payer_model(billing);
    module("app.services.billing_sync").docstring(docstring).body(block![
        assign(logger, py!(logging.getLogger(__name__))),
        assign(MAX_RACES, 20).paragraph(),
        assign(
            ENDED,
            py!(frozenset(set!(
                SubscriptionStatus.CANCELED,
                SubscriptionStatus.INCOMPLETE_EXPIRED
            )))
        ),
        assign(
            NOT_BEGUN,
            py!(frozenset(set!(
                SubscriptionStatus.INCOMPLETE,
                SubscriptionStatus.INCOMPLETE_EXPIRED
            )))
        )
        .paragraph(),
        race_error_class(),
        billing_sync_class(billing),
        build_sync_def(billing.card_trial().is_some()),
        put_def(model),
        farewell_def(),
        stopgap_def(model),
        changes_to_def(billing),
        plan_without_def(model),
        is_premature_def(model),
        past_due_since_def(model)
    ])
}

fn race_error_class() -> ClassDef {
    class(RaceError)
        .base(Exception)
        .body(block![docstring("The payer was changed by others each time.")])
}

fn billing_sync_class(billing: &Billing) -> ClassDef {
    names!(database, provider, post, signer);
    let model = payer_model(billing);
    let has_cards = billing.card_trial().is_some();
    class(BillingSync).decorator(py!(dataclass(frozen = true))).body(block![
        docstring(
            "The way from the provider's subscription to the payer's columns.\n\
             \n\
             The provider is asked while no row is locked. What it answers is written only if\n\
             nobody wrote since before it was asked, and is asked for again otherwise: so no\n\
             answer ever replaces a later one."
        ),
        annotate(database, Database),
        annotate(provider, BillingProvider),
        annotate(post, BillingPost),
        has_cards.then(|| annotate(signer, Signer)),
        billing_sync_follow(),
        billing_sync_pass_over(),
        billing_sync_find_payer(model),
        billing_sync_bring_up_to_date(model),
        billing_sync_is_deleted(model),
        billing_sync_ask(model, has_cards),
        has_cards.then(|| block![billing_sync_has_had_trial(model), billing_sync_end_trial(model)]),
        billing_sync_write(model),
        billing_sync_refresh(model)
    ])
}

fn billing_sync_follow() -> FunctionDef {
    names!(event, inbox, notice, payer);
    async_def("follow").params([untyped("self"), param(event, BillingEvent)]).returns(none()).body(
        block![
            docstring("Bring the payer whom an event is about up to date, and finish the event."),
            assign(inbox, py!(BillingInbox(self.database))),
            assign(notice, py!(self.provider.read_notice(event.r#type, event.payload))),
            if_(
                py!(notice == None),
                block![
                    do_(py!(inbox.settle(event, BillingEventStatus.SKIPPED).await)),
                    return_none()
                ]
            ),
            for_(
                py!(_),
                py!(range(MAX_RACES)),
                block![
                    assign(payer, py!(self.find_payer(notice).await)),
                    if_(
                        py!(payer == None),
                        block![do_(py!(self.pass_over(event).await)), return_none()]
                    ),
                    if_(py!(self.bring_up_to_date(payer, notice, event).await), [return_none()])
                ]
            ),
            raise(RaceError)
        ],
    )
}

fn billing_sync_pass_over() -> FunctionDef {
    names!(event, reason, inbox);
    async_def("pass_over")
        .params([untyped("self"), param(event, BillingEvent)])
        .returns(none())
        .body(block![
            docstring(
                "Leave an event be whose customer is not one of ours.\n\
                 \n\
                 If it is linked later, it is brought up to date then, by asking the provider."
            ),
            if_(
                py!(!self.provider.is_connected),
                [raise(py!(ProviderError("The customer is not one of ours so far")))]
            ),
            assign(reason, "The customer is not one of ours"),
            assign(inbox, py!(BillingInbox(self.database))),
            do_(py!(inbox.settle(event, BillingEventStatus.SKIPPED, reason).await))
        ])
}

fn billing_sync_find_payer(model: Import) -> FunctionDef {
    names!(notice, session, payer, named);
    async_def("find_payer")
        .params([untyped("self"), param(notice, Notice)])
        .returns(py!(model | None))
        .body(block![
            docstring("Find who pays as the customer, or is to do so by the notice."),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    assign(
                        payer,
                        py!(session
                            .scalar(
                                select(model)
                                    .r#where(model.stripe_customer_id == notice.customer_id)
                            )
                            .await)
                    ),
                    if_(py!(notice.payer_id == None), [return_(payer)]),
                    assign(named, py!(session.get(model, notice.payer_id).await))
                ]
            ),
            if_(
                py!(payer != None && is_not!(payer, named)),
                [raise(py!(UnusableEventError("The customer pays for another one")))]
            ),
            if_(
                py!(named != None && not_in!(named.stripe_customer_id, (None, notice.customer_id))),
                [raise(py!(UnusableEventError("There is another customer already")))]
            ),
            return_(named)
        ])
}

fn billing_sync_bring_up_to_date(model: Import) -> FunctionDef {
    names!(payer, notice, event, alert, link, now, found, changes);
    async_def("bring_up_to_date")
        .params([
            untyped("self"),
            param(payer, model),
            param(notice, Notice),
            param(event, BillingEvent),
        ])
        .returns(bool)
        .body(block![
            docstring(
                "Write what the provider says and finish the event, unless others wrote.\n\
                 \n\
                 While the provider does not answer, what the event says is better than nothing;\n\
                 the event is not finished by that."
            ),
            if_(
                py!(notice.customer_is_gone),
                [return_(py!(self.write(payer, farewell(), event).await))]
            ),
            assign(alert, py!(notice.alert)),
            assign(link, py!(dict!("stripe_customer_id" => notice.customer_id))),
            assign(now, py!(utcnow())),
            try_(block![
                if_(
                    py!(self.is_deleted(payer, notice.customer_id).await),
                    [return_(py!(self.write(payer, dict!(), event).await))]
                ),
                assign(found, py!(self.ask(payer, notice.customer_id).await))
            ])
            .except(
                ProviderError,
                block![
                    assign(
                        changes,
                        py!(link | stopgap(payer, notice.subscription, event.occurred_at))
                    ),
                    if_(
                        py!(!self.provider.is_connected),
                        [return_(py!(self.write(payer, changes, event, alert).await))]
                    ),
                    if_(py!(!self.write(payer, changes).await), [return_(false)]),
                    reraise()
                ]
            ),
            assign(changes, py!(link | changes_to(payer, found, now))),
            return_(py!(self.write(payer, changes, event, alert).await))
        ])
}

fn billing_sync_is_deleted(model: Import) -> FunctionDef {
    names!(payer, customer_id);
    async_def("is_deleted")
        .params([untyped("self"), param(payer, model), param(customer_id, str)])
        .returns(bool)
        .body(block![
            docstring("Tell whether a customer was deleted before an event could link it."),
            if_(
                py!(payer.stripe_customer_id == customer_id || !self.provider.is_connected),
                [return_(false)]
            ),
            return_(py!(!self.provider.has_customer(customer_id).await))
        ])
}

fn billing_sync_ask(model: Import, has_cards: bool) -> FunctionDef {
    names!(payer, customer_id, known_id, found);
    async_def("ask")
        .params([untyped("self"), param(payer, model), param(customer_id, str)])
        .returns(py!(Subscription | None))
        .body(block![
            docstring("Ask the provider for the subscription of a customer."),
            assign(known_id, py!(payer.stripe_subscription_id)),
            has_cards.then(|| block![
                assign(found, py!(self.provider.find_subscription(customer_id, known_id).await)),
                if_(
                    py!(found == None || !self.has_had_trial(payer, found).await),
                    [return_(found)]
                ),
                do_(py!(self.end_trial(payer, found).await))
            ]),
            return_(py!(self.provider.find_subscription(customer_id, known_id).await))
        ])
}

fn billing_sync_has_had_trial(model: Import) -> FunctionDef {
    names!(payer, found, session, trials, is_theirs);
    async_def("has_had_trial")
        .params([untyped("self"), param(payer, model), param(found, Subscription)])
        .returns(bool)
        .body(block![
            docstring("Tell whether the card of a trial has had one for somebody else."),
            if_(
                py!(is_not!(found.status, SubscriptionStatus.TRIALING) || found.card == None),
                [return_(false)]
            ),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    assign(trials, py!(TrialService(session, self.signer))),
                    assign(is_theirs, py!(trials.claim_card(found.card, payer.id).await)),
                    do_(py!(session.commit().await))
                ]
            ),
            return_(py!(!is_theirs))
        ])
}

fn billing_sync_end_trial(model: Import) -> FunctionDef {
    names!(payer, found, session);
    async_def("end_trial")
        .params([untyped("self"), param(payer, model), param(found, Subscription)])
        .returns(none())
        .body(block![
            docstring("End a trial before anything is charged, and say so."),
            do_(py!(self.provider.cancel(found.id).await)),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    do_(py!(self.post.tell(session, payer, TrialRefused()).await)),
                    do_(py!(session.commit().await))
                ]
            )
        ])
}

fn build_sync_def(has_cards: bool) -> FunctionDef {
    names!(settings, database, provider, post);
    let signer = has_cards.then(|| arg(py!(Signer(settings))));
    def(build_sync)
        .params([
            param(settings, Settings),
            param(database, Database),
            param(provider, BillingProvider),
        ])
        .returns(BillingSync)
        .body(block![
            docstring("Return what follows a provider, with all it needs."),
            assign(post, py!(BillingPost(settings, Sealer(settings)))),
            return_(py!(BillingSync(database, provider, post, ..signer)))
        ])
}

fn billing_sync_write(model: Import) -> FunctionDef {
    names!(payer, changes, event, alert, session, unchanged, written, name, value);
    async_def("write")
        .params([
            untyped("self"),
            param(payer, model),
            param(changes, py!(dict[(str, Any)])),
            param(event, py!(BillingEvent | None)).default(none()),
            param(alert, py!(TrialEnding | PaymentFailed | None)).default(none()),
        ])
        .returns(bool)
        .body(block![
            docstring("Write to the payer, and finish the event, unless the payer was written to."),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    assign(
                        unchanged,
                        py!(select(model)
                            .r#where(
                                model.id == payer.id,
                                model.subscription_version == payer.subscription_version
                            )
                            .with_for_update())
                    ),
                    assign(written, py!(session.scalar(unchanged).await)),
                    if_(py!(written == None), [return_(false)]),
                    for_(
                        py!((name, value)),
                        py!(changes.items()),
                        [do_(py!(setattr(written, name, value)))]
                    ),
                    aug_assign(py!(written.subscription_version), Operator::Add, 1),
                    if_(
                        py!(event != None),
                        [do_(py!(finish(session, event, BillingEventStatus.PROCESSED).await))]
                    ),
                    if_(
                        py!(alert != None),
                        [do_(py!(self.post.tell(session, payer, alert).await))]
                    ),
                    do_(py!(session.commit().await))
                ]
            ),
            return_(true)
        ])
}

fn billing_sync_refresh(model: Import) -> FunctionDef {
    names!(payer_id, session, payer, now, found);
    async_def("refresh").params([untyped("self"), param(payer_id, UUID)]).returns(none()).body(
        block![
            docstring("Bring one payer up to date without an event."),
            for_(
                py!(_),
                py!(range(MAX_RACES)),
                block![
                    async_with_as(
                        py!(self.database.session()),
                        session,
                        [assign(payer, py!(session.get(model, payer_id).await))]
                    ),
                    if_(py!(payer == None || payer.stripe_customer_id == None), [return_none()]),
                    assign(now, py!(utcnow())),
                    assign(found, py!(self.ask(payer, payer.stripe_customer_id).await)),
                    if_(
                        py!(self.write(payer, changes_to(payer, found, now)).await),
                        [return_none()]
                    )
                ]
            ),
            raise(RaceError)
        ],
    )
}

fn put_def(model: Import) -> FunctionDef {
    names!(payer, changes, name, value);
    def(put)
        .params([param(payer, model), param(changes, py!(dict[(str, Any)]))])
        .returns(none())
        .body(block![
            docstring("Write to a payer that is locked."),
            for_(py!((name, value)), py!(changes.items()), [do_(py!(setattr(payer, name, value)))]),
            aug_assign(py!(payer.subscription_version), Operator::Add, 1)
        ])
}

fn farewell_def() -> FunctionDef {
    def(farewell).returns(py!(dict[(str, Any)])).body(block![
        docstring("Return what changes with the end of a customer: no subscription outlives it."),
        return_(py!(dict!(
            "stripe_customer_id" => None,
            "subscription_status" => SubscriptionStatus.CANCELED,
            "subscription_ends_at" => None,
            "past_due_since" => None,
            "price_is_unknown" => false
        )))
    ])
}

fn stopgap_def(model: Import) -> FunctionDef {
    names!(payer, subscription, occurred_at, applied_at, known_id);
    def(stopgap)
        .params([
            param(payer, model),
            param(subscription, py!(Subscription | None)),
            param(occurred_at, datetime),
        ])
        .returns(py!(dict[(str, Any)]))
        .body(block![
            docstring(
                "Return what changes by an event alone: nothing if the event is out of date.\n\
                 \n\
                 Deliveries come in any order: an older event never undoes a newer one, what has\n\
                 ended stays ended, and the end of an earlier subscription is not that of this one."
            ),
            assign(applied_at, py!(payer.subscription_event_at)),
            if_(
                py!(subscription == None || applied_at != None && occurred_at < applied_at),
                [return_(py!(dict!()))]
            ),
            assign(known_id, py!(payer.stripe_subscription_id)),
            if_(
                py!(known_id == subscription.id && in_!(payer.subscription_status, ENDED)),
                [return_(py!(dict!()))]
            ),
            if_(
                py!(not_in!(known_id, (None, subscription.id)) && in_!(subscription.status, ENDED)),
                [return_(py!(dict!()))]
            ),
            return_(py!(changes_to(payer, subscription, occurred_at)))
        ])
}

fn changes_to_def(billing: &Billing) -> FunctionDef {
    let model = payer_model(billing);
    names!(payer, found, as_of, is_unclear);
    let mut changes = vec![
        ("plan", py!(found.plan || plan_without(payer, found, as_of))),
        ("subscription_status", py!(found.status)),
        ("stripe_subscription_id", py!(found.id)),
        ("trial_ends_at", py!(found.trial_ends_at)),
        ("subscription_renews_at", py!(found.period_ends_at)),
        ("subscription_ends_at", py!(found.ends_at)),
        ("subscription_event_at", py!(as_of)),
        ("past_due_since", py!(past_due_since(payer, found, as_of))),
        ("price_is_unknown", py!(is_unclear)),
    ];
    changes.extend(billing.has_seats().then(|| ("paid_seats", py!(found.quantity))));
    def(changes_to)
        .params([
            param(payer, model),
            param(found, py!(Subscription | None)),
            param(as_of, datetime),
        ])
        .returns(py!(dict[(str, Any)]))
        .body(block![
            docstring(
                "Return what changes when this is the subscription at a time.\n\
                 \n\
                 Also one whose price no plan has begins, is due and ends; what it gives has to be\n\
                 told by a person."
            ),
            if_(py!(found == None || is_premature(payer, found)), [return_(py!(dict!()))]),
            assign(is_unclear, py!(found.plan == None && not_in!(found.status, ENDED))),
            if_(
                is_unclear,
                [do_(py!(logger.error("No plan has the price of subscription %s", found.id)))]
            ),
            return_(make::dict(changes))
        ])
}

fn plan_without_def(model: Import) -> FunctionDef {
    names!(payer, found, as_of);
    def(plan_without)
        .params([param(payer, model), param(found, Subscription), param(as_of, datetime)])
        .returns(PlanName)
        .body(block![
            docstring(
                "Return the plan by a subscription whose price no plan has: the one there is.\n\
                 \n\
                 That of an earlier subscription which has ended, or of a trial that is over, is\n\
                 none that is paid for."
            ),
            if_(py!(payer.stripe_subscription_id == found.id), [return_(py!(payer.plan))]),
            return_(py!(effective_plan(payer, as_of).name))
        ])
}

fn is_premature_def(model: Import) -> FunctionDef {
    names!(payer, found, is_trying, has_own_trial);
    def(is_premature).params([param(payer, model), param(found, Subscription)]).returns(bool).body(
        block![
            docstring(
                "Tell whether a first payment has yet to succeed while a trial without it runs."
            ),
            assign(is_trying, py!(is_!(payer.subscription_status, SubscriptionStatus.TRIALING))),
            assign(has_own_trial, py!(is_trying && payer.stripe_subscription_id == None)),
            return_(py!(has_own_trial && in_!(found.status, NOT_BEGUN)))
        ],
    )
}

fn past_due_since_def(model: Import) -> FunctionDef {
    names!(payer, found, as_of, same, known);
    def(past_due_since)
        .params([param(payer, model), param(found, Subscription), param(as_of, datetime)])
        .returns(py!(datetime | None))
        .body(block![
            docstring("Return when the payment that is due was first due, as long as one is."),
            if_(py!(is_not!(found.status, SubscriptionStatus.PAST_DUE)), [return_(none())]),
            assign(same, py!(payer.stripe_subscription_id == found.id)),
            assign(known, py!(if same { payer.past_due_since } else { None })),
            return_(py!(known || found.invoiced_at || as_of))
        ])
}
