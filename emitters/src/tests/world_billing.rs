//! What the world of the tests has to do with Stripe: methods of `World`, and a function beside it.

use crate::core::payers::{payer_id_of, payer_model};
use crate::core::plans::{PlanName, SubscriptionStatus};
use crate::core::roles::UserRole;
use crate::models::base::utcnow;
use crate::models::package::{BillingEvent, Organization, User};
use crate::python::builtins::{dict, int, str};
use crate::python::httpx2::Response;
use crate::python::sqlalchemy::{AsyncSession, select, update};
use crate::python::standard::{Any, UUID, json, timedelta};
use crate::python::stripe::WebhookSignature;
use crate::services::billing_worker::BillingWorker;
use crate::spec::{Billing, Payer, Plan, Spec};
use crate::tests::casting::{given_plan, has_trial, paid_plans};
use crate::tests::world::{Caller, WEBHOOK_SECRET};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.world": signature, find_payer;
}

/// The methods.
#[must_use]
pub fn dealings_with_stripe(spec: &Spec, billing: &Billing) -> Vec<Stmt> {
    block![
        world_deliver(),
        world_deliver_raw(),
        world_hurry(),
        world_settle(),
        world_catch_up(),
        world_customer_of(),
        world_payer_id(),
        world_unpaid_organization(billing),
        world_promote(),
        world_stop_paying(),
        (!paid_plans(billing).is_empty()).then(world_subscribe),
        has_trial(spec).then(world_end_trial),
        given_plan(spec).map(|plan| [world_start_subscription(plan), world_end_subscription()])
    ]
}

fn world_deliver() -> FunctionDef {
    names!(event);
    async_def("deliver")
        .params([untyped("self"), param(event, py!(dict[(str, Any)]))])
        .returns(Response)
        .body(block![
            docstring("Deliver an event as Stripe does; nobody processes it yet."),
            return_(py!(self.deliver_raw(json.dumps(event)).await))
        ])
}

fn world_deliver_raw() -> FunctionDef {
    names!(body, secret, timestamp, headers, content);
    async_def("deliver_raw")
        .params([
            untyped("self"),
            param(body, str),
            star(),
            param(secret, str).default(WEBHOOK_SECRET),
            param(timestamp, py!(int | None)).default(none()),
        ])
        .returns(Response)
        .body(block![
            docstring("Sign a body with the code of the Stripe library and deliver it."),
            assign(headers, py!(dict!("Stripe-Signature" => signature(body, secret, timestamp)))),
            assign(content, py!(body.encode())),
            return_(py!(self
                .http
                .post("/billing/webhook", content = content, headers = headers)
                .await))
        ])
}

fn world_hurry() -> FunctionDef {
    names!(waiting, session);
    async_def("hurry").params([untyped("self")]).returns(none()).body(block![
        docstring("Let the time come for every event that is not done."),
        assign(waiting, py!(update(BillingEvent).r#where(BillingEvent.due_at.is_not(None)))),
        async_with_as(
            py!(self.database.session()),
            session,
            block![
                do_(py!(session.execute(waiting.values(due_at = utcnow())).await)),
                do_(py!(session.commit().await))
            ]
        )
    ])
}

fn world_settle() -> FunctionDef {
    names!(worker);
    async_def("settle").params([untyped("self")]).returns(none()).body(block![
        docstring("Process every event that is not done, as if the time for it had come."),
        ann_assign(worker, BillingWorker, py!(self.app.state.billing_worker)),
        do_(py!(self.hurry().await)),
        do_(py!(worker.drain().await))
    ])
}

fn world_catch_up() -> FunctionDef {
    names!(event);
    async_def("catch_up").params([untyped("self")]).returns(none()).body(block![
        docstring("Deliver all that Stripe has to tell, and process it."),
        for_(
            event,
            py!(self.stripe.state.untold()),
            [assert_(py!(self.deliver(event).await.status_code == 200))]
        ),
        do_(py!(self.settle().await))
    ])
}

fn world_customer_of() -> FunctionDef {
    names!(organization_id, session, payer, customer);
    async_def("customer_of")
        .params([untyped("self"), param(organization_id, str)])
        .returns(str)
        .body(block![
            docstring("Return the customer of Stripe that an organization is, new if need be."),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    assign(payer, py!(find_payer(session, organization_id).await)),
                    if_(
                        py!(payer.stripe_customer_id == None),
                        block![
                            assign(customer, py!(self.stripe.state.add_customer())),
                            assign(py!(payer.stripe_customer_id), py!(customer["id"])),
                            do_(py!(session.commit().await))
                        ]
                    ),
                    return_(py!(payer.stripe_customer_id))
                ]
            )
        ])
}

fn world_payer_id() -> FunctionDef {
    names!(organization_id, session, payer);
    async_def("payer_id").params([untyped("self"), param(organization_id, str)]).returns(str).body(
        block![
            docstring("Return by what Stripe and the platform name who pays for an organization."),
            async_with_as(
                py!(self.database.session()),
                session,
                block![
                    assign(payer, py!(find_payer(session, organization_id).await)),
                    return_(py!(str(payer.id)))
                ]
            )
        ],
    )
}

fn world_unpaid_organization(billing: &Billing) -> FunctionDef {
    names!(caller, organization_id, payer);
    let free = PlanName.attr(billing.free_plan().constant);
    let found = py!(caller.found("another").await);
    let body = match billing.payer {
        Payer::Organization => block![return_(found)],
        Payer::User => block![
            assign(organization_id, found),
            change(
                payer,
                [
                    assign(py!((payer.plan, payer.trial_ends_at)), py!((free, None))),
                    assign(py!(payer.subscription_status), py!(SubscriptionStatus.NONE)),
                ]
            ),
            return_(organization_id)
        ],
    };
    async_def("unpaid_organization")
        .params([untyped("self"), param(caller, Caller)])
        .returns(str)
        .body(block![docstring("Found an organization without a subscription."), body])
}

/// The function that finds the row of who pays.
#[must_use]
pub fn find_payer_def(billing: &Billing) -> FunctionDef {
    names!(session, organization_id, payer_id);
    let body = match billing.payer {
        Payer::Organization => {
            block![return_(py!(session.get_one(Organization, UUID(organization_id)).await))]
        }
        Payer::User => block![
            assign(payer_id, py!(payer_id_of(UUID(organization_id)))),
            return_(py!(session.scalars(select(User).r#where(User.id == payer_id)).await.one()))
        ],
    };
    async_def(find_payer)
        .params([param(session, AsyncSession), param(organization_id, str)])
        .returns(payer_model(billing))
        .body(block![docstring("Return the row of who pays for an organization."), body])
}

fn world_promote() -> FunctionDef {
    names!(caller, promoted, session);
    async_def("promote").params([untyped("self"), param(caller, Caller)]).returns(none()).body(
        block![
            docstring("Let somebody act for the platform."),
            assign(
                promoted,
                py!(update(User).r#where(User.email == caller.email).values(role = UserRole.ADMIN))
            ),
            async_with_as(
                py!(self.database.session()),
                session,
                block![do_(py!(session.execute(promoted).await)), do_(py!(session.commit().await))]
            )
        ],
    )
}

fn world_subscribe() -> FunctionDef {
    names!(organization_id, lookup_key, status, customer, started, subscription_id);
    async_def("subscribe")
        .params([
            untyped("self"),
            param(organization_id, str),
            param(lookup_key, str),
            param(status, str).default("active"),
        ])
        .returns(str)
        .body(block![
            docstring("Start a subscription, and return its id."),
            assign(customer, py!(self.customer_of(organization_id).await)),
            assign(started, py!(self.stripe.state.subscribe(customer, lookup_key, status))),
            do_(py!(self.catch_up().await)),
            ann_assign(subscription_id, str, py!(started["id"])),
            return_(subscription_id)
        ])
}

fn world_stop_paying() -> FunctionDef {
    names!(payer);
    async_def("stop_paying")
        .params([untyped("self"), param("organization_id", str)])
        .returns(none())
        .body(block![
            docstring("Let a payment be missing for good."),
            change(payer, [assign(py!(payer.subscription_status), py!(SubscriptionStatus.UNPAID))])
        ])
}

fn world_end_trial() -> FunctionDef {
    names!(organization_id, days, end, payer);
    async_def("end_trial")
        .params([untyped("self"), param(organization_id, str), star(), param(days, int).default(0)])
        .returns(none())
        .body(block![
            docstring("Let the trial of an organization run out, now or in some days."),
            assign(end, py!(utcnow() + timedelta(days = days, seconds = -1))),
            change(payer, [assign(py!(payer.trial_ends_at), end)])
        ])
}

fn world_start_subscription(plan: &Plan) -> FunctionDef {
    names!(payer);
    async_def("start_subscription")
        .params([untyped("self"), param("organization_id", str)])
        .returns(none())
        .body(block![
            docstring("Give an organization a plan, as if it had subscribed."),
            change(
                payer,
                [
                    assign(py!(payer.plan), PlanName.attr(plan.constant)),
                    assign(py!(payer.subscription_status), py!(SubscriptionStatus.ACTIVE)),
                ]
            )
        ])
}

fn world_end_subscription() -> FunctionDef {
    names!(payer);
    let canceled = assign(py!(payer.subscription_status), py!(SubscriptionStatus.CANCELED));
    async_def("end_subscription")
        .params([untyped("self"), param("organization_id", str)])
        .returns(none())
        .body(block![
            docstring("Let the subscription of an organization end."),
            change(payer, [canceled])
        ])
}

/// Changes the row of who pays in a session of its own.
fn change<const N: usize>(payer: Name, changes: [Stmt; N]) -> With {
    names!(session, organization_id);
    let row = py!(find_payer(session, organization_id).await);
    async_with_as(
        py!(self.database.session()),
        session,
        block![assign(payer, row), changes, do_(py!(session.commit().await))],
    )
}

/// The function that signs.
#[must_use]
pub fn signature_def() -> FunctionDef {
    names!(body, secret, timestamp, header);
    def(signature)
        .params([param(body, str), param(secret, str), param(timestamp, py!(int | None))])
        .returns(str)
        .body(block![
            docstring("Sign a body as Stripe does."),
            ann_assign(
                header,
                str,
                py!(WebhookSignature.generate_signature_header(body, secret, timestamp))
            )
            .trailing_comment("pyright: ignore[reportUnknownMemberType]"),
            return_(header)
        ])
}
