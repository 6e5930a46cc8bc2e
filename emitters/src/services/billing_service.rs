//! `backend/app/services/billing_service.py`: what Stripe says about subscriptions, and what follows from it.

use crate::core::database::{DatabaseDep, SessionDep};
use crate::core::errors::{BadRequestError, UnavailableError};
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::core::plans::{DEFAULT_PLAN, Plan, SubscriptionStatus, plan_for_lookup_key};
use crate::core::settings::SettingsDep;
use crate::models::base::utcnow;
use crate::models::billing_event::{BillingEvent, BillingEventStatus};
use crate::models::organization::Organization;
use crate::python::builtins::{
    __name__, Exception, ValueError, bool, bytes, dict, frozenset, isinstance, str,
};
use crate::python::fastapi::Depends;
use crate::python::pydantic::{JsonValue, TypeAdapter, ValidationError};
use crate::python::sqlalchemy::{AsyncSession, IntegrityError, select};
use crate::python::standard::{Annotated, Awaitable, Callable, UUID, dataclass, logging};
use crate::python::stripe::{SignatureVerificationError, Webhook};
use crate::schemas::billing::{StripeCheckoutSession, StripeEvent, StripeSubscription};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.billing_service": logger, PROVIDER, TOLERANCE_SECONDS, CONTENT, STATUSES, ENDED,
        UnusableEventError, BillingService, BillingEventService, BillingServiceDep,
        BillingEventServiceDep, decoded, is_signed, handle, reason, link_customer,
        follow_subscription, find_organization, lock_organization, is_outdated, read_status,
        plan_of, HANDLERS;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.billing_service").docstring("What Stripe says about subscriptions, and what follows from it.").body(block![assign(logger, py!(logging.getLogger(__name__))), assign(PROVIDER, "stripe").paragraph(), assign(TOLERANCE_SECONDS, 300), assign(CONTENT, py!(TypeAdapter(dict[(str, JsonValue)]))), assign(STATUSES, py!(dict!(status.value => status for status in SubscriptionStatus))), assign(ENDED, py!(frozenset(set!(SubscriptionStatus.CANCELED, SubscriptionStatus.INCOMPLETE_EXPIRED)))), unusable_event_error_class(), billing_service_class(), billing_event_service_class(), assign(BillingServiceDep, py!(Annotated[(BillingService, Depends(BillingService))])), assign(BillingEventServiceDep, py!(Annotated[(BillingEventService, Depends(BillingEventService))])), decoded_def(), is_signed_def(), handle_def(), reason_def(), link_customer_def(), follow_subscription_def(), find_organization_def(), lock_organization_def(), is_outdated_def(), read_status_def(), plan_of_def(), ann_assign(HANDLERS, py!(dict[(str, Callable[([AsyncSession, BillingEvent], Awaitable[None])])]), py!(dict!("checkout.session.completed" => link_customer, "customer.subscription.created" => follow_subscription, "customer.subscription.updated" => follow_subscription, "customer.subscription.deleted" => follow_subscription, "customer.subscription.paused" => follow_subscription, "customer.subscription.resumed" => follow_subscription)))])
}

fn unusable_event_error_class() -> ClassDef {
    class(UnusableEventError)
        .base(Exception)
        .body(block![docstring("An event is sound, but says something that cannot be followed.")])
}

fn billing_service_class() -> ClassDef {
    names!(database, settings);
    class(BillingService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The way of an event: verified, stored, then processed."),
        annotate(database, DatabaseDep),
        annotate(settings, SettingsDep),
        billing_service_receive(),
        billing_service_verified(),
        billing_service_store(),
        billing_service_process()
    ])
}

fn billing_service_receive() -> FunctionDef {
    names!(payload, signature, content, event_id);
    async_def("receive")
        .params([untyped("self"), param(payload, bytes), param(signature, py!(str | None))])
        .returns(BillingEventStatus)
        .body(block![
            docstring(
                "Take a delivery; the event is stored before anything is done about it.\n\
                 \n\
                 A delivery that repeats an event is answered with what became of it. If the\n\
                 processing breaks off, the caller sees an error and Stripe delivers again."
            ),
            assign(content, py!(self.verified(payload, signature))),
            assign(event_id, py!(self.store(content).await)),
            return_(py!(self.process(event_id).await))
        ])
}

fn billing_service_verified() -> FunctionDef {
    names!(payload, signature, secrets, content, secret);
    def("verified")
        .params([untyped("self"), param(payload, bytes), param(signature, py!(str | None))])
        .returns(py!(dict[(str, JsonValue)]))
        .body(block![
            docstring("Return the content of a delivery that Stripe signed."),
            assign(secrets, py!(self.settings.stripe_webhook_secrets)),
            if_(
                py!(!secrets),
                [raise(py!(UnavailableError("The webhook is off.", code = "webhook_off")))]
            ),
            assign(content, py!(decoded(payload))),
            for_(
                secret,
                secrets,
                if_(
                    py!(is_signed(payload, signature, secret.get_secret_value())),
                    [return_(content)]
                )
            ),
            raise(py!(BadRequestError("The signature is not valid.", code = "invalid_signature")))
        ])
}

fn billing_service_store() -> FunctionDef {
    names!(content, envelope, error, event, stored, session);
    async_def("store")
        .params([untyped("self"), param(content, py!(dict[(str, JsonValue)]))])
        .returns(UUID)
        .body(block![
            docstring("Store an event, once."),
            try_([assign(envelope, py!(StripeEvent.model_validate(content)))]).except_as(
                ValidationError,
                error,
                [raise_from(py!(BadRequestError("The body is not an event of Stripe.")), error)]
            ),
            assign(
                event,
                py!(BillingEvent(
                    provider = PROVIDER,
                    event_id = envelope.id,
                    r#type = envelope.r#type,
                    occurred_at = envelope.created,
                    payload = content
                ))
            ),
            assign(
                stored,
                py!(select(BillingEvent.id).r#where(
                    BillingEvent.provider == PROVIDER,
                    BillingEvent.event_id == envelope.id
                ))
            ),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    do_(py!(session.add(event))),
                    try_([do_(py!(session.commit().await))])
                        .except(IntegrityError, [do_(py!(session.rollback().await))]),
                    return_(py!(session.scalars(stored).await.one()))
                ]
            )
        ])
}

fn billing_service_process() -> FunctionDef {
    names!(event_id, session, event);
    async_def("process")
        .params([untyped("self"), param(event_id, UUID)])
        .returns(BillingEventStatus)
        .body(block![
            docstring("Act on a stored event, unless that is done; one transaction for all of it."),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    assign(
                        event,
                        py!(session.get_one(BillingEvent, event_id, with_for_update = true).await)
                    ),
                    if_(
                        py!(event.handled_at == None),
                        block![
                            do_(py!(handle(session, event).await)),
                            do_(py!(session.commit().await))
                        ]
                    ),
                    return_(py!(event.status))
                ]
            )
        ])
}

fn billing_event_service_class() -> ClassDef {
    names!(session);
    class(BillingEventService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What became of the events."),
        annotate(session, SessionDep),
        billing_event_service_page()
    ])
}

fn billing_event_service_page() -> FunctionDef {
    names!(page);
    async_def("page")
        .params([untyped("self"), param(page, PageRequest)])
        .returns(py!(Slice[BillingEvent]))
        .body(block![
            docstring("List the stored events, newest first."),
            return_(py!(fetch_page(self.session, select(BillingEvent), BillingEvent, page).await))
        ])
}

fn decoded_def() -> FunctionDef {
    names!(payload, error);
    def(decoded).params([param(payload, bytes)]).returns(py!(dict[(str, JsonValue)])).body(block![
        docstring("Read the JSON object in a payload."),
        try_([return_(py!(CONTENT.validate_json(payload)))]).except_as(
            ValidationError,
            error,
            [raise_from(py!(BadRequestError("The body is not a JSON object.")), error)]
        )
    ])
}

fn is_signed_def() -> FunctionDef {
    names!(payload, signature, secret);
    def(is_signed)
        .params([param(payload, bytes), param(signature, py!(str | None)), param(secret, str)])
        .returns(bool)
        .body(block![
            docstring("Tell whether Stripe signed the payload with the secret, and lately."),
            try_([do_(py!(Webhook.construct_event(
                payload,
                signature,
                secret,
                TOLERANCE_SECONDS
            )))])
            .except(py!((SignatureVerificationError, ValueError)), [return_(false)]),
            return_(true)
        ])
}

fn handle_def() -> FunctionDef {
    names!(session, event, handler, error, handled);
    async_def(handle)
        .params([param(session, AsyncSession), param(event, BillingEvent)])
        .returns(none())
        .body(block![
            docstring(
                "Apply an event and note what became of it.\n\
                 \n\
                 One that cannot be followed is kept as failed, for a person to look at; delivered\n\
                 again, it is tried again."
            ),
            assign(handler, py!(HANDLERS.get(event.r#type))),
            try_(if_(py!(handler != None), [do_(py!(handler(session, event).await))])).except_as(
                py!((UnusableEventError, ValidationError)),
                error,
                block![
                    assign(py!(event.status), py!(BillingEventStatus.FAILED)),
                    assign(py!(event.error), py!(reason(error))),
                    do_(py!(logger.warning(
                        "Event %s cannot be followed: %s",
                        event.event_id,
                        event.error
                    ))),
                    return_none()
                ]
            ),
            assign(handled, py!(BillingEventStatus.PROCESSED)),
            assign(
                py!(event.status),
                py!(if handler == None { BillingEventStatus.SKIPPED } else { handled })
            ),
            assign(py!(event.error), none()),
            assign(py!(event.handled_at), py!(utcnow()))
        ])
}

fn reason_def() -> FunctionDef {
    names!(error, problems);
    def(reason).params([param(error, py!(UnusableEventError | ValidationError))]).returns(str).body(
        block![
            docstring("Say what is wrong with an event without repeating its values."),
            if_(py!(isinstance(error, UnusableEventError)), [return_(py!(str(error)))]),
            assign(problems, py!(error.errors(include_url = false, include_context = false))),
            return_(py!("; ".join(
                generator!(f!("{}: {}", problem["loc"], problem["msg"]) for problem in problems)
            )))
        ],
    )
}

fn link_customer_def() -> FunctionDef {
    names!(session, event, checkout, payer);
    async_def(link_customer)
        .params([param(session, AsyncSession), param(event, BillingEvent)])
        .returns(none())
        .body(block![
            docstring("After a checkout: note which customer of Stripe pays for the organization."),
            assign(
                checkout,
                py!(StripeCheckoutSession.model_validate(event.payload["data"]["object"]))
            ),
            assign(payer, py!(find_organization(session, checkout.customer).await)),
            if_(
                py!(payer == None),
                [assign(
                    payer,
                    py!(lock_organization(session, checkout.client_reference_id).await)
                )]
            ),
            if_(
                py!(payer == None || payer.id != checkout.client_reference_id),
                [raise(py!(UnusableEventError("The checkout names no organization of ours")))]
            ),
            if_(
                py!(not_in!(payer.stripe_customer_id, set!(None, checkout.customer))),
                [raise(py!(UnusableEventError("The organization has another customer")))]
            ),
            assign(py!(payer.stripe_customer_id), py!(checkout.customer))
        ])
}

fn follow_subscription_def() -> FunctionDef {
    names!(session, event, subscription, organization, status, plan);
    async_def(follow_subscription)
        .params([param(session, AsyncSession), param(event, BillingEvent)])
        .returns(none())
        .body(block![
            docstring("After a change of a subscription: take over its state, unless it is old."),
            assign(
                subscription,
                py!(StripeSubscription.model_validate(event.payload["data"]["object"]))
            ),
            assign(organization, py!(find_organization(session, subscription.customer).await)),
            if_(
                py!(organization == None),
                [raise(py!(UnusableEventError("The customer belongs to no organization")))]
            ),
            assign(status, py!(read_status(subscription.status))),
            if_(py!(is_outdated(organization, event, subscription.id, status)), [return_none()]),
            assign(
                plan,
                py!(if in_!(status, ENDED) { DEFAULT_PLAN } else { plan_of(subscription) })
            ),
            assign(py!(organization.plan), py!(plan.name)),
            assign(py!(organization.subscription_status), status),
            assign(py!(organization.stripe_subscription_id), py!(subscription.id)),
            assign(py!(organization.trial_ends_at), py!(subscription.trial_end)),
            assign(py!(organization.subscription_event_at), py!(event.occurred_at))
        ])
}

fn find_organization_def() -> FunctionDef {
    names!(session, customer, statement);
    async_def(find_organization)
        .params([param(session, AsyncSession), param(customer, str)])
        .returns(py!(Organization | None))
        .body(block![
            docstring("Find and lock the organization that a customer of Stripe pays for."),
            assign(
                statement,
                py!(select(Organization).r#where(Organization.stripe_customer_id == customer))
            ),
            return_(py!(session.scalar(statement.with_for_update()).await))
        ])
}

fn lock_organization_def() -> FunctionDef {
    names!(session, organization_id);
    async_def(lock_organization)
        .params([param(session, AsyncSession), param(organization_id, UUID)])
        .returns(py!(Organization | None))
        .body(block![
            docstring("Find and lock an organization."),
            return_(py!(session.get(Organization, organization_id, with_for_update = true).await))
        ])
}

fn is_outdated_def() -> FunctionDef {
    names!(organization, event, subscription_id, status, applied_at);
    def(is_outdated)
        .params([
            param(organization, Organization),
            param(event, BillingEvent),
            param(subscription_id, str),
            param(status, SubscriptionStatus),
        ])
        .returns(bool)
        .body(block![
            docstring(
                "Tell whether an event must not be applied any more.\n\
                 \n\
                 Deliveries come in any order: an older event never undoes a newer one, what has\n\
                 ended stays ended, and the end of an earlier subscription is not that of this one."
            ),
            assign(applied_at, py!(organization.subscription_event_at)),
            if_(py!(applied_at != None && event.occurred_at < applied_at), [return_(true)]),
            if_(
                py!(organization.stripe_subscription_id == subscription_id),
                [return_(py!(in_!(organization.subscription_status, ENDED)))]
            ),
            return_(py!(organization.stripe_subscription_id != None && in_!(status, ENDED)))
        ])
}

fn read_status_def() -> FunctionDef {
    names!(word);
    def(read_status).params([param(word, str)]).returns(SubscriptionStatus).body(block![
        docstring("Translate a status of Stripe; a new word counts as no subscription."),
        if_(
            py!(not_in!(word, STATUSES)),
            [do_(py!(logger.error("Stripe has a new subscription status: %s", word)))]
        ),
        return_(py!(STATUSES.get(word, SubscriptionStatus.UNKNOWN)))
    ])
}

fn plan_of_def() -> FunctionDef {
    names!(subscription, item, plan);
    def(plan_of).params([param(subscription, StripeSubscription)]).returns(Plan).body(block![
        docstring("Find the plan that a subscription pays for."),
        for_(
            item,
            py!(subscription.items.data),
            block![
                assign(plan, py!(plan_for_lookup_key(item.price.lookup_key || ""))),
                if_(py!(plan != None), [return_(plan)])
            ]
        ),
        raise(py!(UnusableEventError("No price of the subscription belongs to a plan")))
    ])
}
