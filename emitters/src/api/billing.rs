//! `backend/app/api/billing.py`: plans, the subscription of an organization, and the webhook of Stripe.

use crate::core::access::{access_of, grace_ends_at, has_active_subscription};
use crate::core::api_keys::unpaid_router;
use crate::core::billing::effective_plan;
use crate::core::idempotency::{IdempotentRoute, claim_key};
use crate::core::org_rbac::PrincipalDep;
use crate::core::pagination::{DEFAULT_LIMIT, MAX_LIMIT, PageRequestDep};
use crate::core::payers::{payer_for, payer_model};
use crate::core::plans::PLANS;
use crate::core::plans::has_prices;
use crate::core::rbac::require_user_roles;
use crate::core::roles::UserRole;
use crate::core::roles::required;
use crate::guards::guarded;
use crate::models::base::utcnow;
use crate::models::billing_event::BillingEventStatus;
use crate::python::builtins::{int, list, str};
use crate::python::fastapi::{APIRouter, Depends, Query, Request};
use crate::python::standard::{Annotated, UUID};
use crate::schemas::billing::{
    BillingEventPage, BillingEventRead, CheckoutCreate, InvoicePage, InvoiceRead, PlanChange,
    PlanRead, PortalCreate, RedirectRead, SubscriptionRead, WebhookAnswer,
};
use crate::services::billing_service::BillingServiceDep;
use crate::services::billing_webhook::{BillingEventServiceDep, BillingWebhookDep};
use crate::spec::{Billing, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.billing": router, organization_router, list_plans, receive_webhook,
        list_billing_events, replay_billing_event, read_subscription, check_out, open_portal, change_plan,
        cancel_subscription, resume_subscription, sync_subscription, list_invoices,
        subscription_of;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec, billing: &Billing) -> Module {
    names!(BILLING_READ, BILLING_MANAGE);
    let members = required(&spec.organizations.roles);
    let sold = has_prices(billing);
    let managers = required([spec.organizations.owner()]);
    let once = |route| guarded(guarded(route, &claim_key.into_expr()), &managers);
    let docstring = "Plans, the subscription of an organization, and the webhook of Stripe.";
    module("app.api.billing").docstring(docstring).body(block![
        assign(router, py!(APIRouter(prefix = "/billing", tags = ["billing"]))),
        assign(
            organization_router,
            unpaid_router(
                spec,
                "/organizations/{organization_id}/billing",
                "billing",
                [BILLING_READ, BILLING_MANAGE],
                sold.then(|| kw("route_class", IdempotentRoute))
            )
        ),
        list_plans_def(),
        receive_webhook_def(),
        list_billing_events_def(),
        replay_billing_event_def(),
        guarded(read_subscription_def(billing), &members),
        sold.then(|| once(check_out_def())),
        sold.then(|| once(open_portal_def())),
        sold.then(|| once(change_plan_def())),
        sold.then(|| once(cancel_subscription_def())),
        sold.then(|| once(resume_subscription_def())),
        sold.then(|| once(sync_subscription_def())),
        sold.then(|| guarded(list_invoices_def(), &managers)),
        subscription_of_def(billing)
    ])
}

fn list_plans_def() -> FunctionDef {
    async_def(list_plans).decorator(py!(router.get("/plans"))).returns(py!(list[PlanRead])).body(
        block![
            docstring("List what can be bought."),
            return_(py!(list!(PlanRead.model_validate(plan) for plan in PLANS.values())))
        ],
    )
}

fn receive_webhook_def() -> FunctionDef {
    names!(request, webhook, status);
    async_def(receive_webhook)
        .decorator(py!(router.post("/webhook", include_in_schema = false)))
        .params([param(request, Request), param(webhook, BillingWebhookDep)])
        .returns(WebhookAnswer)
        .body(block![
            docstring("Take an event that Stripe signed; it is processed after the answer."),
            assign(status, py!(webhook.receive(request.body().await, request.headers).await)),
            return_(py!(WebhookAnswer(status = status)))
        ])
}

fn list_billing_events_def() -> FunctionDef {
    names!(page, events, status);
    async_def(list_billing_events)
        .decorator(py!(
            router.get("/events", dependencies = [Depends(require_user_roles(UserRole.ADMIN))])
        ))
        .params([
            param(page, PageRequestDep),
            param(events, BillingEventServiceDep),
            param(status, py!(BillingEventStatus | None)).default(none()),
        ])
        .returns(BillingEventPage)
        .body(block![
            docstring("List the events of Stripe and what became of them."),
            return_(py!(BillingEventPage.model_validate(events.page(page, status).await)))
        ])
}

fn replay_billing_event_def() -> FunctionDef {
    names!(event_id, events, event);
    async_def(replay_billing_event)
        .decorator(py!(router.post(
            "/events/{event_id}/replay",
            dependencies = [Depends(require_user_roles(UserRole.ADMIN))]
        )))
        .params([param(event_id, UUID), param(events, BillingEventServiceDep)])
        .returns(BillingEventRead)
        .body(block![
            docstring("Have an event processed again, such as one that has failed."),
            assign(event, py!(events.replay(event_id).await)),
            return_(py!(BillingEventRead.model_validate(event)))
        ])
}

fn read_subscription_def(billing: &Billing) -> FunctionDef {
    names!(principal);
    let payer = payer_for(billing, principal);
    async_def(read_subscription)
        .decorator(py!(organization_router.get("/subscription")))
        .params([param(principal, PrincipalDep)])
        .returns(SubscriptionRead)
        .body(block![
            docstring("Return what the organization may use at the moment."),
            return_(py!(subscription_of({ payer })))
        ])
}

fn check_out_def() -> FunctionDef {
    names!(payload, billing);
    async_def(check_out)
        .decorator(py!(organization_router.post("/checkout")))
        .params([param(payload, CheckoutCreate), param(billing, BillingServiceDep)])
        .returns(RedirectRead)
        .body(block![
            docstring("Begin to subscribe: the answer is the page on which to pay."),
            return_(py!(RedirectRead(url = billing.check_out(payload).await)))
        ])
}

fn open_portal_def() -> FunctionDef {
    names!(payload, billing);
    async_def(open_portal)
        .decorator(py!(organization_router.post("/portal")))
        .params([param(payload, PortalCreate), param(billing, BillingServiceDep)])
        .returns(RedirectRead)
        .body(block![
            docstring("Return the page on which to change cards and addresses."),
            return_(py!(RedirectRead(url = billing.open_portal(payload).await)))
        ])
}

fn change_plan_def() -> FunctionDef {
    names!(payload, billing);
    async_def(change_plan)
        .decorator(py!(organization_router.post("/change-plan")))
        .params([param(payload, PlanChange), param(billing, BillingServiceDep)])
        .returns(SubscriptionRead)
        .body(block![
            docstring("Move to another plan."),
            return_(py!(subscription_of(billing.change_plan(payload.plan).await)))
        ])
}

fn cancel_subscription_def() -> FunctionDef {
    names!(billing);
    async_def(cancel_subscription)
        .decorator(py!(organization_router.post("/cancel")))
        .params([param(billing, BillingServiceDep)])
        .returns(SubscriptionRead)
        .body(block![
            docstring("End the subscription when what is paid for ends."),
            return_(py!(subscription_of(billing.cancel().await)))
        ])
}

fn resume_subscription_def() -> FunctionDef {
    names!(billing);
    async_def(resume_subscription)
        .decorator(py!(organization_router.post("/resume")))
        .params([param(billing, BillingServiceDep)])
        .returns(SubscriptionRead)
        .body(block![
            docstring("Let a subscription go on that was to end, or start a paused one again."),
            return_(py!(subscription_of(billing.resume().await)))
        ])
}

fn sync_subscription_def() -> FunctionDef {
    names!(billing);
    async_def(sync_subscription)
        .decorator(py!(organization_router.post("/sync")))
        .params([param(billing, BillingServiceDep)])
        .returns(SubscriptionRead)
        .body(block![
            docstring("Ask Stripe for the subscription, as after the return from a checkout."),
            return_(py!(subscription_of(billing.synchronize().await)))
        ])
}

fn list_invoices_def() -> FunctionDef {
    names!(billing, limit, cursor, part, items);
    async_def(list_invoices)
        .decorator(py!(organization_router.get("/invoices")))
        .params([
            param(billing, BillingServiceDep),
            param(limit, py!(Annotated[(int, Query(ge = 1, le = MAX_LIMIT))]))
                .default(DEFAULT_LIMIT),
            param(
                cursor,
                py!(Annotated[(str | None, Query(pattern = "^in_[A-Za-z0-9_]{1,200}$"))]),
            )
            .default(none()),
        ])
        .returns(InvoicePage)
        .body(block![
            docstring("List the invoices, newest first."),
            assign(part, py!(billing.invoices(limit, cursor).await)),
            assign(
                items,
                py!(list!(InvoiceRead.model_validate(invoice) for invoice in part.items))
            ),
            return_(py!(InvoicePage(
                items = items,
                next_cursor = if part.has_more { items[-1].id } else { None }
            )))
        ])
}

fn subscription_of_def(billing: &Billing) -> FunctionDef {
    names!(payer, now);
    let seats = billing.has_seats().then(|| kw("seats", py!(payer.paid_seats)));
    def(subscription_of)
        .params([param(payer, payer_model(billing))])
        .returns(SubscriptionRead)
        .body(block![
            docstring("Say what a payer has at the moment."),
            assign(now, py!(utcnow())),
            return_(py!(SubscriptionRead(
                plan = effective_plan(payer, now).name,
                status = payer.subscription_status,
                access = access_of(payer, now),
                active = has_active_subscription(payer, now),
                ..seats,
                trial_ends_at = payer.trial_ends_at,
                renews_at = payer.subscription_renews_at,
                ends_at = payer.subscription_ends_at,
                grace_ends_at = grace_ends_at(payer)
            )))
        ])
}
