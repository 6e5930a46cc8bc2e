//! `backend/app/schemas/stripe.py`: what this application reads of the objects of Stripe.

use crate::python::builtins::{
    TypeError, ValueError, bool, dict, int, isinstance, list, max, property, str,
};
use crate::python::pydantic::{BaseModel, Field};
use crate::python::standard::{Any, UUID, datetime};
use crate::spec::Billing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.stripe": Expanded, id_of, StripeData, StripeEvent, StripeCustomer,
        StripeSubject, StripeDueInvoice, StripePrice, StripeItem, StripeItems, StripeInvoice,
        StripeCard, StripePaymentMethod, StripeSubscription, StripeCheckoutSession;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    let docstring = "What this application reads of the objects of Stripe.\n\
                     \n\
                     The shape of an event is that of the version which its webhook endpoint was made with,\n\
                     and the shape of an answer that of the version of the library: what moved from one\n\
                     version to another is read at its old place and at its new one.";
    let has_cards = billing.card_trial().is_some();
    module("app.schemas.stripe").docstring(docstring).body(block![
        expanded_class(),
        id_of_def(),
        stripe_data_class(),
        stripe_event_class(),
        stripe_customer_class(),
        stripe_subject_class(),
        stripe_due_invoice_class(),
        stripe_price_class(),
        stripe_item_class(),
        stripe_items_class(),
        stripe_invoice_class(),
        has_cards.then(stripe_card_class),
        has_cards.then(stripe_payment_method_class),
        stripe_subscription_class(has_cards),
        stripe_checkout_session_class()
    ])
}

fn expanded_class() -> ClassDef {
    names!(id);
    class(Expanded)
        .base(BaseModel)
        .body(block![docstring("An object in the place of its id."), annotate(id, str)])
}

fn id_of_def() -> FunctionDef {
    names!(reference);
    def(id_of).params([param(reference, py!(str | Expanded))]).returns(str).body(block![
        docstring("Return the id of an object that may be expanded."),
        return_(py!(if isinstance(reference, str) { reference } else { reference.id }))
    ])
}

fn stripe_data_class() -> ClassDef {
    names!(object);
    class(StripeData).base(BaseModel).body(block![
        docstring("The object that an event is about."),
        annotate(object, py!(dict[(str, Any)]))
    ])
}

fn stripe_event_class() -> ClassDef {
    names!(id, r#type, created, data);
    class(StripeEvent).base(BaseModel).body(block![
        docstring("The envelope of an event."),
        ann_assign(id, str, py!(Field(max_length = 255))),
        ann_assign(r#type, str, py!(Field(max_length = 255))),
        annotate(created, datetime),
        annotate(data, StripeData)
    ])
}

fn stripe_customer_class() -> ClassDef {
    names!(id, deleted);
    class(StripeCustomer).base(BaseModel).body(block![
        docstring("A customer; of a deleted one there is little left."),
        annotate(id, str),
        ann_assign(deleted, bool, false)
    ])
}

fn stripe_subject_class() -> ClassDef {
    names!(customer);
    class(StripeSubject)
        .base(BaseModel)
        .body(block![docstring("Whose an object is."), annotate(customer, py!(str | Expanded))])
}

fn stripe_due_invoice_class() -> ClassDef {
    names!(amount_due, currency, hosted_invoice_url);
    class(StripeDueInvoice).base(StripeSubject).body(block![
        docstring("An invoice that is to be paid."),
        annotate(amount_due, int),
        annotate(currency, str),
        ann_assign(hosted_invoice_url, py!(str | None), none())
    ])
}

fn stripe_price_class() -> ClassDef {
    names!(lookup_key, unit_amount, currency);
    class(StripePrice).base(BaseModel).body(block![
        docstring("A price; the lookup key says which plan it is."),
        ann_assign(lookup_key, py!(str | None), none()),
        ann_assign(unit_amount, py!(int | None), none()),
        ann_assign(currency, py!(str | None), none())
    ])
}

fn stripe_item_class() -> ClassDef {
    names!(id, price, quantity, current_period_end);
    class(StripeItem).base(BaseModel).body(block![
        docstring("A line of a subscription."),
        ann_assign(id, str, ""),
        annotate(price, StripePrice),
        ann_assign(quantity, int, 1),
        ann_assign(current_period_end, py!(datetime | None), none())
    ])
}

fn stripe_items_class() -> ClassDef {
    names!(data);
    class(StripeItems).base(BaseModel).body(block![
        docstring("The lines of a subscription."),
        ann_assign(data, py!(list[StripeItem]), py!(Field(min_length = 1)))
    ])
}

fn stripe_invoice_class() -> ClassDef {
    names!(created);
    class(StripeInvoice).base(BaseModel).body(block![
        docstring("What a subscription says of its latest invoice when that is expanded."),
        annotate(created, datetime)
    ])
}

fn stripe_card_class() -> ClassDef {
    names!(fingerprint);
    class(StripeCard).base(BaseModel).body(block![
        docstring("A card; one number has one fingerprint, whoever pays with it."),
        ann_assign(fingerprint, py!(str | None), none())
    ])
}

fn stripe_payment_method_class() -> ClassDef {
    names!(card);
    class(StripePaymentMethod).base(BaseModel).body(block![
        docstring("What a subscription says of how it is paid when that is expanded."),
        ann_assign(card, py!(StripeCard | None), none())
    ])
}

fn stripe_subscription_class(has_cards: bool) -> ClassDef {
    names!(
        id,
        customer,
        status,
        items,
        created,
        trial_end,
        cancel_at,
        cancel_at_period_end,
        ended_at,
        current_period_end,
        latest_invoice,
        default_payment_method
    );
    class(StripeSubscription).base(BaseModel).body(block![
        docstring("A subscription."),
        annotate(id, str),
        annotate(customer, py!(str | Expanded)),
        annotate(status, str),
        annotate(items, StripeItems),
        ann_assign(created, py!(datetime | None), none()),
        ann_assign(trial_end, py!(datetime | None), none()),
        ann_assign(cancel_at, py!(datetime | None), none()),
        ann_assign(cancel_at_period_end, bool, false),
        ann_assign(ended_at, py!(datetime | None), none()),
        ann_assign(current_period_end, py!(datetime | None), none()),
        ann_assign(latest_invoice, py!(StripeInvoice | str | None), none()),
        has_cards.then(|| ann_assign(
            default_payment_method,
            py!(StripePaymentMethod | str | None),
            none()
        )),
        stripe_subscription_period_end(),
        stripe_subscription_ends_at(),
        has_cards.then(stripe_subscription_card)
    ])
}

fn stripe_subscription_period_end() -> FunctionDef {
    names!(ends);
    def("period_end")
        .decorator(property)
        .params([untyped("self")])
        .returns(py!(datetime | None))
        .body(block![
            docstring("Return the end of what is paid for, which was a field of the whole once."),
            assign(ends, py!(list!(item.current_period_end for item in self.items.data))),
            return_(py!(max(
                generator!(end for end in ends if end),
                default = self.current_period_end
            )))
        ])
}

fn stripe_subscription_card() -> FunctionDef {
    names!(method);
    def("card").decorator(property).params([untyped("self")]).returns(py!(str | None)).body(block![
        docstring("Return the fingerprint of the card that pays, where that is known."),
        assign(method, py!(self.default_payment_method)),
        if_(
            py!(!isinstance(method, StripePaymentMethod) || method.card == None),
            [return_(none())]
        ),
        return_(py!(method.card.fingerprint))
    ])
}

fn stripe_subscription_ends_at() -> FunctionDef {
    names!(at_period_end);
    def("ends_at").decorator(property).params([untyped("self")]).returns(py!(datetime | None)).body(
        block![
            docstring("Return when the access ends, if it is to end or has ended."),
            assign(
                at_period_end,
                py!(if self.cancel_at_period_end { self.period_end } else { None })
            ),
            return_(py!(self.ended_at || self.cancel_at || at_period_end))
        ],
    )
}

fn stripe_checkout_session_class() -> ClassDef {
    names!(id, customer, client_reference_id, status, url, metadata);
    class(StripeCheckoutSession).base(BaseModel).body(block![
        docstring("A checkout; the reference is what this application calls the payer."),
        ann_assign(id, str, ""),
        annotate(customer, py!(str | Expanded | None)),
        ann_assign(client_reference_id, py!(str | None), none()),
        ann_assign(status, py!(str | None), none()),
        ann_assign(url, py!(str | None), none()),
        ann_assign(metadata, py!(dict[(str, str)]), py!(Field(default_factory = dict[(str, str)]))),
        stripe_checkout_session_payer_id()
    ])
}

fn stripe_checkout_session_payer_id() -> FunctionDef {
    def("payer_id").decorator(property).params([untyped("self")]).returns(py!(UUID | None)).body(
        block![
            docstring("Return the payer; what another application refers to is none."),
            try_([return_(py!(UUID(self.client_reference_id)))])
                .except(py!((TypeError, ValueError)), [return_(none())])
        ],
    )
}
