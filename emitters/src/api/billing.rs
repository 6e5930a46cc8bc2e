//! `backend/app/api/billing.py`: plans, the subscription of an organization, and the webhook of Stripe.

use crate::core::billing::{access_of, effective_plan, grace_ends_at, has_active_subscription};
use crate::core::org_rbac::PrincipalDep;
use crate::core::pagination::PageRequestDep;
use crate::core::plans::PLANS;
use crate::core::rbac::require_user_roles;
use crate::core::roles::UserRole;
use crate::core::roles::required;
use crate::guards::guarded;
use crate::models::base::utcnow;
use crate::models::billing_event::BillingEventStatus;
use crate::python::builtins::{list, str};
use crate::python::fastapi::{APIRouter, Depends, Header, Request};
use crate::python::standard::Annotated;
use crate::schemas::billing::{BillingEventPage, PlanRead, SubscriptionRead, WebhookAnswer};
use crate::services::billing_service::{BillingEventServiceDep, BillingWebhookDep};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.billing": router, organization_router, list_plans, receive_webhook,
        list_billing_events, read_subscription;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let members = required(&spec.organizations.roles);
    let docstring = "Plans, the subscription of an organization, and the webhook of Stripe.";
    module("app.api.billing").docstring(docstring).body(block![
        assign(router, py!(APIRouter(prefix = "/billing", tags = ["billing"]))),
        assign(
            organization_router,
            py!(APIRouter(prefix = "/organizations/{organization_id}/billing", tags = ["billing"]))
        ),
        list_plans_def(),
        receive_webhook_def(),
        list_billing_events_def(),
        guarded(read_subscription_def(), &members)
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
    names!(request, webhook, stripe_signature, status);
    async_def(receive_webhook)
        .decorator(py!(router.post("/webhook", include_in_schema = false)))
        .params([
            param(request, Request),
            param(webhook, BillingWebhookDep),
            param(stripe_signature, py!(Annotated[(str | None, Header())])).default(none()),
        ])
        .returns(WebhookAnswer)
        .body(block![
            docstring("Take an event that Stripe signed; it is processed after the answer."),
            assign(status, py!(webhook.receive(request.body().await, stripe_signature).await)),
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

fn read_subscription_def() -> FunctionDef {
    names!(principal, organization, now);
    async_def(read_subscription)
        .decorator(py!(organization_router.get("/subscription")))
        .params([param(principal, PrincipalDep)])
        .returns(SubscriptionRead)
        .body(block![
            docstring("Return what the organization may use at the moment."),
            assign(organization, py!(principal.organization)),
            assign(now, py!(utcnow())),
            return_(py!(SubscriptionRead(
                plan = effective_plan(organization, now).name,
                status = organization.subscription_status,
                access = access_of(organization, now),
                active = has_active_subscription(organization, now),
                trial_ends_at = organization.trial_ends_at,
                renews_at = organization.subscription_renews_at,
                ends_at = organization.subscription_ends_at,
                grace_ends_at = grace_ends_at(organization)
            )))
        ])
}
