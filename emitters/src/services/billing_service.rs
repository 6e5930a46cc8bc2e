//! `backend/app/services/billing_service.py`: subscribing, changing, ending: what an organization does about its subscription.

use crate::core::access::has_subscription;
use crate::core::billing::with_grants;
use crate::core::errors::{ConflictError, ForbiddenError};
use crate::core::org_rbac::{PrincipalDep, TenantSessionDep};
use crate::core::payers::payer_model;
use crate::core::plans::has_limits;
use crate::core::plans::{PLANS, Plan, PlanName, SubscriptionStatus, TRIAL_PERIOD};
use crate::core::settings::SettingsDep;
use crate::models::base::utcnow;
use crate::models::user::User;
use crate::python::builtins::{ValueError, int, str, tuple};
use crate::python::fastapi::Depends;
use crate::python::standard::{Annotated, dataclass, urlsplit};
use crate::schemas::billing::{CheckoutCreate, PortalCreate};
use crate::services::billing_provider::{
    BillingProviderDep, Customer, InvoicePart, Order, ProviderError,
};
use crate::services::billing_seats::seats_of;
use crate::services::billing_sync::{changes_to, farewell, put};
use crate::services::billing_usage::{most_used_by, usage_of};
use crate::services::trial_service::TrialServiceDep;
use crate::spec::{Billing, Payer};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.billing_service": BillingService, origin_of, lookup_key_of, BillingServiceDep;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    let docstring = "Subscribing, changing, ending: what an organization does about its \
                     subscription.";
    module("app.services.billing_service").docstring(docstring).body(block![
        billing_service_class(billing),
        origin_of_def(),
        lookup_key_of_def(),
        assign(BillingServiceDep, py!(Annotated[(BillingService, Depends(BillingService))]))
    ])
}

fn billing_service_class(billing: &Billing) -> ClassDef {
    names!(session, principal, provider, settings, trials);
    let has_cards = billing.card_trial().is_some();
    class(BillingService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring(
            "The rules for who pays.\n\
             \n\
             The row of the payer is locked for the whole of an act, so that of two at once the\n\
             second one sees what the first one did."
        ),
        annotate(session, TenantSessionDep),
        annotate(principal, PrincipalDep),
        annotate(provider, BillingProviderDep),
        annotate(settings, SettingsDep),
        has_cards.then(|| annotate(trials, TrialServiceDep)),
        billing_service_check_out(billing),
        has_cards.then(|| billing_service_trial_of(billing)),
        billing_service_only_checkout(billing),
        billing_service_open_portal(),
        billing_service_change_plan(billing),
        billing_service_cancel(billing),
        billing_service_resume(billing),
        billing_service_synchronize(billing),
        billing_service_invoices(billing),
        billing_service_locked_payer(billing),
        (billing.payer == Payer::User).then(billing_service_own_payer),
        billing_service_subscription(billing),
        billing_service_customer_of(billing),
        billing_service_new_customer(billing),
        billing_service_refresh(billing),
        has_limits(billing).then(|| billing_service_refuse_excess(billing)),
        billing_service_refuse_address()
    ])
}

fn billing_service_check_out(billing: &Billing) -> FunctionDef {
    names!(payload, payer, customer_id, plan, order);
    let quantity = quantity(billing, payer, plan);
    let trial_days =
        billing.card_trial().map(|_| kw("trial_days", py!(self.trial_of(payer).await)));
    async_def("check_out")
        .params([untyped("self"), param(payload, CheckoutCreate)])
        .returns(str)
        .body(block![
            docstring(
                "Return where to pay; there is one open checkout at a time.\n\
                 \n\
                 A second request for the same leads to the same page, one for anything else, or\n\
                 back to another place, closes the page of the first."
            ),
            do_(py!(self.refuse_address(payload.success_url))),
            do_(py!(self.refuse_address(payload.cancel_url))),
            assign(payer, py!(self.locked_payer().await)),
            assign(customer_id, py!(self.customer_of(payer).await)),
            do_(py!(self.refresh(payer).await)),
            if_(
                py!(has_subscription(payer)),
                [raise(py!(ConflictError(
                    "There is a subscription.",
                    code = "already_subscribed"
                )))]
            ),
            assign(plan, py!(PLANS[payload.plan])),
            assign(
                order,
                py!(Order(
                    payer_id = payer.id,
                    customer_id = customer_id,
                    lookup_key = lookup_key_of(plan),
                    quantity = { quantity },
                    ..trial_days,
                    success_url = payload.success_url,
                    cancel_url = payload.cancel_url,
                    previous_id = payer.checkout_id
                ))
            ),
            return_(py!(self.only_checkout(payer, order).await))
        ])
}

fn billing_service_trial_of(billing: &Billing) -> FunctionDef {
    names!(payer, email);
    async_def("trial_of")
        .params([untyped("self"), param(payer, payer_model(billing))])
        .returns(py!(int | None))
        .body(block![
            docstring("Return how many days are free: only those of a first subscription are."),
            if_(py!(payer.stripe_subscription_id != None), [return_(none())]),
            assign(email, py!(self.principal.user.email)),
            return_(py!(if self.trials.claim_mailbox(email, payer.id).await {
                TRIAL_PERIOD.days
            } else {
                None
            }))
        ])
}

/// How many times a plan is paid for.
fn quantity(billing: &Billing, payer: Name, plan: Name) -> Expr {
    if billing.has_seats() { py!(seats_of(self.session, payer, plan).await) } else { py!(1) }
}

fn billing_service_only_checkout(billing: &Billing) -> FunctionDef {
    names!(payer, order, previous, checkout);
    async_def("only_checkout")
        .params([untyped("self"), param(payer, payer_model(billing)), param(order, Order)])
        .returns(str)
        .body(block![
            docstring("Go on with the open checkout, or close it and open another one."),
            if_(
                py!(order.previous_id != None),
                block![
                    assign(previous, py!(self.provider.find_checkout(order.previous_id).await)),
                    if_(
                        py!(previous != None && previous.url != None),
                        block![
                            if_(
                                py!(previous.order == order.fingerprint),
                                [return_(py!(previous.url))]
                            ),
                            do_(py!(self.provider.expire_checkout(previous.id).await))
                        ]
                    )
                ]
            ),
            assign(checkout, py!(self.provider.create_checkout(order).await)),
            if_(
                py!(checkout.url == None),
                [raise(py!(ConflictError("This checkout is closed.", code = "checkout_closed")))]
            ),
            assign(py!(payer.checkout_id), py!(checkout.id)),
            return_(py!(checkout.url))
        ])
}

fn billing_service_open_portal() -> FunctionDef {
    names!(payload, payer, customer_id);
    async_def("open_portal")
        .params([untyped("self"), param(payload, PortalCreate)])
        .returns(str)
        .body(block![
            docstring(
                "Return where to change cards and addresses.\n\
                 \n\
                 Who was deleted at the provider, without our having heard of it, is forgotten."
            ),
            do_(py!(self.refuse_address(payload.return_url))),
            assign(payer, py!(self.locked_payer().await)),
            assign(customer_id, py!(payer.stripe_customer_id)),
            if_(
                py!(customer_id != None),
                block![
                    try_([return_(py!(self
                        .provider
                        .open_portal(customer_id, payload.return_url)
                        .await))])
                    .except(
                        ProviderError,
                        [if_(py!(self.provider.has_customer(customer_id).await), [reraise()])]
                    ),
                    do_(py!(put(payer, farewell()))),
                    // The answer is an error, with which the transaction would end otherwise.
                    do_(py!(self.session.commit().await))
                ]
            ),
            raise(py!(ConflictError("Nothing was ever paid for.", code = "no_customer")))
        ])
}

fn billing_service_change_plan(billing: &Billing) -> FunctionDef {
    names!(name, payer, subscription_id, plan, lookup_key);
    let quantity = quantity(billing, payer, plan);
    async_def("change_plan")
        .params([untyped("self"), param(name, PlanName)])
        .returns(payer_model(billing))
        .body(block![
            docstring("Move to another plan, if what there is does not exceed its limits."),
            assign(py!((payer, subscription_id)), py!(self.subscription().await)),
            assign(plan, py!(PLANS[name])),
            if_(
                py!(is_!(payer.plan, name)),
                [raise(py!(ConflictError("This is the plan already.", code = "same_plan")))]
            ),
            has_limits(billing).then(|| do_(py!(self.refuse_excess(payer, plan).await))),
            assign(lookup_key, py!(lookup_key_of(plan))),
            do_(py!(self.provider.change_price(subscription_id, lookup_key, { quantity }).await)),
            return_(py!(self.refresh(payer).await))
        ])
}

fn billing_service_cancel(billing: &Billing) -> FunctionDef {
    names!(payer, subscription_id);
    async_def("cancel").params([untyped("self")]).returns(payer_model(billing)).body(block![
        docstring("End the subscription when what is paid for ends."),
        assign(py!((payer, subscription_id)), py!(self.subscription().await)),
        do_(py!(self.provider.end_later(subscription_id).await)),
        return_(py!(self.refresh(payer).await))
    ])
}

fn billing_service_resume(billing: &Billing) -> FunctionDef {
    names!(payer, subscription_id);
    async_def("resume").params([untyped("self")]).returns(payer_model(billing)).body(block![
        docstring("Let a subscription go on that was to end, or start a paused one again."),
        assign(py!((payer, subscription_id)), py!(self.subscription().await)),
        if_(
            py!(is_!(payer.subscription_status, SubscriptionStatus.PAUSED)),
            [do_(py!(self.provider.resume(subscription_id).await))]
        )
        .elif(
            py!(payer.subscription_ends_at != None),
            [do_(py!(self.provider.go_on(subscription_id).await))]
        )
        .else_([raise(py!(ConflictError("It goes on as it is.", code = "nothing_to_resume")))]),
        return_(py!(self.refresh(payer).await))
    ])
}

fn billing_service_synchronize(billing: &Billing) -> FunctionDef {
    async_def("synchronize").params([untyped("self")]).returns(payer_model(billing)).body(block![
        docstring("Ask the provider and take over what it says."),
        return_(py!(self.refresh(self.locked_payer().await).await))
    ])
}

fn billing_service_invoices(billing: &Billing) -> FunctionDef {
    names!(limit, after, customer_id);
    let payer = own_payer(billing);
    async_def("invoices")
        .params([untyped("self"), param(limit, int), param(after, py!(str | None))])
        .returns(InvoicePart)
        .body(block![
            docstring("List the invoices, newest first."),
            assign(customer_id, py!({ payer }.stripe_customer_id)),
            if_(
                py!(customer_id == None),
                [return_(py!(InvoicePart(items = [], has_more = false)))]
            ),
            return_(py!(self.provider.list_invoices(customer_id, limit, after).await))
        ])
}

/// Who pays: the caller, where users pay.
fn own_payer(billing: &Billing) -> Expr {
    match billing.payer {
        Payer::Organization => py!(self.principal.organization),
        Payer::User => py!(self.own_payer()),
    }
}

fn billing_service_own_payer() -> FunctionDef {
    names!(payer);
    def("own_payer").params([untyped("self")]).returns(User).body(block![
        docstring("Return who pays, if it is the caller: nobody sees to the money of another."),
        assign(payer, py!(self.principal.payer)),
        if_(
            py!(payer.id != self.principal.user.id),
            [raise(py!(ForbiddenError(
                "Somebody else pays for this organization.",
                code = "not_payer"
            )))]
        ),
        return_(payer)
    ])
}

fn billing_service_locked_payer(billing: &Billing) -> FunctionDef {
    names!(payer);
    async_def("locked_payer").params([untyped("self")]).returns(payer_model(billing)).body(block![
        docstring("Lock who pays; without a key to the provider nothing can be done."),
        if_(
            py!(!self.provider.is_connected),
            [raise(py!(ConflictError("Payment is not set up.", code = "billing_off")))]
        ),
        assign(payer, own_payer(billing)),
        do_(py!(self.session.refresh(payer, with_for_update = true).await)),
        return_(payer)
    ])
}

fn billing_service_subscription(billing: &Billing) -> FunctionDef {
    names!(payer);
    let model = payer_model(billing);
    async_def("subscription").params([untyped("self")]).returns(py!(tuple[(model, str)])).body(
        block![
            docstring("Lock who pays, and return the subscription that goes on."),
            assign(payer, py!(self.locked_payer().await)),
            if_(
                py!(!has_subscription(payer) || payer.stripe_subscription_id == None),
                [raise(py!(ConflictError("There is no subscription.", code = "not_subscribed")))]
            ),
            return_(py!((payer, payer.stripe_subscription_id)))
        ],
    )
}

fn billing_service_customer_of(billing: &Billing) -> FunctionDef {
    names!(payer, customer_id);
    async_def("customer_of")
        .params([untyped("self"), param(payer, payer_model(billing))])
        .returns(str)
        .body(block![
            docstring(
                "Return the customer that the payer is, a new one if need be.\n\
                 \n\
                 Asked again for a new one, the provider answers with the same for a while, also\n\
                 when that was deleted."
            ),
            assign(
                customer_id,
                py!(payer.stripe_customer_id || self.new_customer(payer, None).await)
            ),
            while_(
                py!(!self.provider.has_customer(customer_id).await),
                [assign(customer_id, py!(self.new_customer(payer, customer_id).await))]
            ),
            if_(
                py!(customer_id != payer.stripe_customer_id),
                [do_(py!(put(payer, dict!("stripe_customer_id" => customer_id))))]
            ),
            return_(customer_id)
        ])
}

fn billing_service_new_customer(billing: &Billing) -> FunctionDef {
    names!(payer, previous_id, customer);
    let payer_name = match billing.payer {
        Payer::Organization => py!(payer.name),
        Payer::User => py!(payer.email),
    };
    async_def("new_customer")
        .params([
            untyped("self"),
            param(payer, payer_model(billing)),
            param(previous_id, py!(str | None)),
        ])
        .returns(str)
        .body(block![
            docstring("Add the customer that the payer is after one who was deleted, if any."),
            assign(
                customer,
                py!(Customer(
                    payer_id = payer.id,
                    name = { payer_name },
                    email = self.principal.user.email,
                    previous_id = previous_id
                ))
            ),
            return_(py!(self.provider.create_customer(customer).await))
        ])
}

fn billing_service_refresh(billing: &Billing) -> FunctionDef {
    names!(payer, now, found);
    async_def("refresh")
        .params([untyped("self"), param(payer, payer_model(billing))])
        .returns(payer_model(billing))
        .body(block![
            docstring("Take over what the provider says of a payer that is locked."),
            if_(
                py!(payer.stripe_customer_id != None),
                block![
                    assign(now, py!(utcnow())),
                    assign(
                        found,
                        py!(self
                            .provider
                            .find_subscription(
                                payer.stripe_customer_id,
                                payer.stripe_subscription_id
                            )
                            .await)
                    ),
                    do_(py!(put(payer, changes_to(payer, found, now))))
                ]
            ),
            return_(payer)
        ])
}

fn billing_service_refuse_excess(billing: &Billing) -> FunctionDef {
    names!(payer, plan, granted, usage, limit, allowed);
    let used = match billing.payer {
        Payer::Organization => py!(usage_of(self.session, payer).await),
        Payer::User => py!(most_used_by(self.session, payer).await),
    };
    async_def("refuse_excess")
        .params([untyped("self"), param(payer, payer_model(billing)), param(plan, Plan)])
        .returns(none())
        .body(block![
            docstring("Refuse a plan that allows less than there is."),
            assign(granted, py!(with_grants(self.session, payer, plan, utcnow()).await)),
            assign(usage, used),
            for_(
                py!((limit, allowed)),
                py!(granted.limits.items()),
                if_(
                    py!(usage[limit] > allowed),
                    [raise(py!(ConflictError(
                        f!("The plan {} allows {} {} only.", plan.title, allowed, limit),
                        code = "limit_exceeded"
                    )))]
                )
            )
        ])
}

fn billing_service_refuse_address() -> FunctionDef {
    names!(url, frontend);
    def("refuse_address").params([untyped("self"), param(url, str)]).returns(none()).body(block![
        docstring("Refuse to send people to a place that is not in the settings."),
        assign(frontend, py!(origin_of(self.settings.frontend_url))),
        if_(
            py!(not_in!(origin_of(url), [frontend, *self.settings.billing_return_origins])),
            [raise(py!(ForbiddenError(
                "People are not sent to this address.",
                code = "redirect_not_allowed"
            )))]
        )
    ])
}

fn origin_of_def() -> FunctionDef {
    names!(url, parts);
    def(origin_of).params([param(url, str)]).returns(str).body(block![
        docstring("Return scheme, host and port of an address, or nothing if it is none."),
        try_([assign(parts, py!(urlsplit(url)))]).except(ValueError, [return_("")]),
        return_(py!(f!("{}://{}", parts.scheme, parts.netloc)))
    ])
}

fn lookup_key_of_def() -> FunctionDef {
    names!(plan);
    def(lookup_key_of).params([param(plan, Plan)]).returns(str).body(block![
        docstring("Return by what the provider finds the price of a plan that has one."),
        if_(
            py!(plan.price == None),
            [raise(py!(ConflictError("This plan costs nothing.", code = "free_plan")))]
        ),
        return_(py!(plan.price.lookup_key))
    ])
}
