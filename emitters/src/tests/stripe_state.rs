//! `backend/tests/stripe_state.py`: what the fake Stripe remembers: its objects, and what happened to them.

use crate::python::builtins::{all, bool, dict, int, len, list, object, reversed, str, tuple};
use crate::python::standard::{Any, dataclass, deepcopy, field};
use crate::tests::stripe_contract::inventions;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.stripe_state": Object, DAY, MONTH, OVER, StripeState, in_old_shape;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let docstring = "What the fake Stripe remembers: its objects, and what happened to them.";
    module("tests.stripe_state").docstring(docstring).body(block![
        assign(Object, py!(dict[(str, Any)])),
        assign(DAY, py!(24 * 60 * 60)).paragraph(),
        assign(MONTH, py!(30 * DAY)),
        assign(OVER, py!(set!("canceled", "incomplete_expired"))),
        stripe_state_class(),
        in_old_shape_def()
    ])
}

fn stripe_state_class() -> ClassDef {
    names!(now, objects, events, count, carts, orders, told, declines);
    class(StripeState).decorator(dataclass).body(block![
        docstring("The objects by id, and the events that their changes made."),
        annotate(now, int),
        ann_assign(
            objects,
            py!(dict[(str, Object)]),
            py!(field(default_factory = dict[(str, Object)]))
        ),
        ann_assign(events, py!(list[Object]), py!(field(default_factory = list[Object]))),
        ann_assign(count, int, 0),
        ann_assign(
            carts,
            py!(dict[(str, tuple[(str, int)])]),
            py!(field(default_factory = dict[(str, tuple[(str, int)])]))
        ),
        ann_assign(
            orders,
            py!(dict[(str, Object)]),
            py!(field(default_factory = dict[(str, Object)]))
        ),
        ann_assign(told, int, 0),
        ann_assign(declines, bool, false),
        stripe_state_identifier(),
        stripe_state_add(),
        stripe_state_all(),
        stripe_state_emit(),
        stripe_state_untold(),
        stripe_state_pass_time(),
        stripe_state_add_price(),
        stripe_state_add_customer(),
        stripe_state_add_invoice(),
        stripe_state_subscribe(),
        stripe_state_add_checkout(),
        stripe_state_pay_checkout(),
        stripe_state_expire_checkout(),
        stripe_state_item(),
        stripe_state_change(),
        stripe_state_move(),
        stripe_state_fail_payment(),
        stripe_state_pay(),
        stripe_state_cancel(),
        stripe_state_delete_customer()
    ])
}

fn stripe_state_identifier() -> FunctionDef {
    names!(prefix);
    def("identifier").params([untyped("self"), param(prefix, str)]).returns(str).body(block![
        docstring("Make the id of a new object."),
        aug_assign(py!(self.count), Operator::Add, 1),
        return_(py!(f!("{}_{}", prefix, self.count)))
    ])
}

fn stripe_state_add() -> FunctionDef {
    names!(prefix, kind, fields, made);
    def("add")
        .params([untyped("self"), param(prefix, str), param(kind, str), kwargs(fields, object)])
        .returns(Object)
        .body(block![
            docstring("Add an object."),
            ann_assign(
                made,
                Object,
                py!(dict!("id" => self.identifier(prefix), "object" => kind, **fields))
            ),
            do_(py!(made.setdefault("created", self.now))),
            assign(py!(self.objects[made["id"]]), made),
            return_(made)
        ])
}

fn stripe_state_all() -> FunctionDef {
    names!(kind, fields);
    def("all")
        .params([untyped("self"), param(kind, str), kwargs(fields, object)])
        .returns(py!(list[Object]))
        .body(block![
            docstring("List the objects of a kind that have these fields, the newest first."),
            return_(py!(list!(
                found
                for found in reversed(self.objects.values())
                if found["object"] == kind && all(
                    generator!(found[name] == value for (name, value) in fields.items())
                )
            )))
        ])
}

fn stripe_state_emit() -> FunctionDef {
    names!(kind, subject, event);
    def("emit")
        .params([untyped("self"), param(kind, str), param(subject, Object)])
        .returns(Object)
        .body(block![
            docstring("Note that something happened to an object, as the object is now."),
            assert_(py!(!inventions(subject))),
            ann_assign(
                event,
                Object,
                py!(dict!(
                    "id" => self.identifier("evt"),
                    "object" => "event",
                    "type" => kind,
                    "created" => self.now,
                    "data" => dict!("object" => deepcopy(subject))
                )),
            ),
            do_(py!(self.events.append(event))),
            return_(event)
        ])
}

fn stripe_state_untold() -> FunctionDef {
    names!(events);
    def("untold").params([untyped("self")]).returns(py!(list[Object])).body(block![
        docstring("Return the events since the last call."),
        assign(events, py!(self.events[self.told..])),
        assign(py!(self.told), py!(len(self.events))),
        return_(events)
    ])
}

fn stripe_state_pass_time() -> FunctionDef {
    names!(seconds);
    def("pass_time").params([untyped("self"), param(seconds, int)]).returns(none()).body(block![
        docstring("Let time pass."),
        aug_assign(py!(self.now), Operator::Add, seconds)
    ])
}

fn stripe_state_add_price() -> FunctionDef {
    names!(lookup_key);
    def("add_price").params([untyped("self"), param(lookup_key, str)]).returns(Object).body(block![
        docstring("Put something on sale."),
        return_(py!(self.add(
            "price",
            "price",
            lookup_key = lookup_key,
            active = true,
            unit_amount = 1900,
            currency = "usd"
        )))
    ])
}

fn stripe_state_add_customer() -> FunctionDef {
    names!(fields, customer);
    def("add_customer").params([untyped("self"), kwargs(fields, object)]).returns(Object).body(
        block![
            docstring("Make a customer."),
            assign(customer, py!(self.add("cus", "customer", **fields))),
            do_(py!(self.emit("customer.created", customer))),
            return_(customer)
        ],
    )
}

fn stripe_state_add_invoice() -> FunctionDef {
    names!(subscription, status, details, parent, invoice);
    def("add_invoice")
        .params([untyped("self"), param(subscription, Object), param(status, str)])
        .returns(Object)
        .body(block![
            docstring("Make the invoice of a subscription."),
            ann_assign(
                details,
                Object,
                py!(dict!("subscription" => subscription["id"], "metadata" => dict!()))
            ),
            ann_assign(
                parent,
                Object,
                py!(dict!("type" => "subscription_details", "subscription_details" => details))
            ),
            assign(
                invoice,
                py!(self.add(
                    "in",
                    "invoice",
                    customer = subscription["customer"],
                    status = status,
                    parent = parent,
                    number = f!("A-{}", len(self.objects)),
                    total = 1900,
                    amount_due = 1900,
                    currency = "usd",
                    hosted_invoice_url = "https://invoice.stripe.com/i"
                ))
            ),
            assign(py!(subscription["latest_invoice"]), py!(invoice["id"])),
            return_(invoice)
        ])
}

fn stripe_state_subscribe() -> FunctionDef {
    names!(customer_id, lookup_key, status, fields, subscription, items);
    def("subscribe")
        .params([
            untyped("self"),
            param(customer_id, str),
            param(lookup_key, str),
            param(status, str).default("active"),
            kwargs(fields, object),
        ])
        .returns(Object)
        .body(block![
            docstring("Start a subscription."),
            assign(
                subscription,
                py!(self.add(
                    "sub",
                    "subscription",
                    customer = customer_id,
                    status = status,
                    cancel_at = None,
                    cancel_at_period_end = false,
                    canceled_at = None,
                    ended_at = None,
                    default_payment_method = None,
                    latest_invoice = None,
                    trial_end = if status == "trialing" { self.now + 14 * DAY } else { None },
                    metadata = dict!(),
                    **fields
                ))
            ),
            assign(items, py!([self.item(subscription["id"], lookup_key)])),
            assign(
                py!(subscription["items"]),
                py!(dict!("object" => "list", "data" => items, "has_more" => false))
            ),
            do_(py!(self.emit("customer.subscription.created", subscription))),
            return_(subscription)
        ])
}

fn stripe_state_add_checkout() -> FunctionDef {
    names!(params, lookup_key, quantity, session);
    def("add_checkout")
        .params([
            untyped("self"),
            param(params, Object),
            param(lookup_key, str),
            param(quantity, int),
        ])
        .returns(Object)
        .body(block![
            docstring("Open a checkout."),
            assign(
                session,
                py!(self.add(
                    "cs",
                    "checkout.session",
                    customer = params["customer"],
                    client_reference_id = params["client_reference_id"],
                    metadata = params["metadata"],
                    mode = "subscription",
                    status = "open",
                    subscription = None
                ))
            ),
            assign(py!(session["url"]), py!(f!("https://checkout.stripe.com/{}", session["id"]))),
            assign(py!(self.carts[session["id"]]), py!((lookup_key, quantity))),
            assign(py!(self.orders[session["id"]]), py!(params["subscription_data"])),
            return_(session)
        ])
}

fn stripe_state_pay_checkout() -> FunctionDef {
    names!(session_id, card, session, lookup_key, quantity, subscription, status, days, method);
    def("pay_checkout")
        .params([untyped("self"), param(session_id, str), param(card, str).default("a card")])
        .returns(Object)
        .body(block![
            docstring("Pay in a checkout, by which a subscription begins."),
            assign(session, py!(self.objects[session_id])),
            assert_(py!(session["status"] == "open")),
            assign(py!((lookup_key, quantity)), py!(self.carts[session_id])),
            assign(days, py!(int(self.orders[session_id].get("trial_period_days", 0)))),
            assign(status, py!(if days { "trialing" } else { "active" })),
            assign(
                method,
                py!(self.add(
                    "pm",
                    "payment_method",
                    r#type = "card",
                    card = dict!("fingerprint" => card)
                ))
            ),
            assign(subscription, py!(self.subscribe(session["customer"], lookup_key, status))),
            assign(py!(subscription["default_payment_method"]), py!(method["id"])),
            if_(py!(days), [assign(py!(subscription["trial_end"]), py!(self.now + days * DAY))]),
            assign(py!(subscription["items"]["data"][0]["quantity"]), quantity),
            do_(py!(self.emit("invoice.paid", self.add_invoice(subscription, "paid")))),
            do_(py!(session.update(
                status = "complete",
                url = None,
                subscription = subscription["id"]
            ))),
            do_(py!(self.emit("checkout.session.completed", session))),
            return_(subscription)
        ])
}

fn stripe_state_expire_checkout() -> FunctionDef {
    names!(session);
    def("expire_checkout").params([untyped("self"), param(session, Object)]).returns(Object).body(
        block![
            docstring("Close a checkout that nobody paid in."),
            do_(py!(session.update(status = "expired", url = None))),
            do_(py!(self.emit("checkout.session.expired", session))),
            return_(session)
        ],
    )
}

fn stripe_state_item() -> FunctionDef {
    names!(subscription_id, lookup_key, quantity, price);
    def("item")
        .params([
            untyped("self"),
            param(subscription_id, str),
            param(lookup_key, str),
            param(quantity, int).default(1),
        ])
        .returns(Object)
        .body(block![
            docstring("Make the one line of a subscription."),
            assign(py!((price,)), py!(self.all("price", lookup_key = lookup_key))),
            return_(py!(dict!(
                "id" => self.identifier("si"),
                "object" => "subscription_item",
                "subscription" => subscription_id,
                "price" => deepcopy(price),
                "quantity" => quantity,
                "current_period_start" => self.now,
                "current_period_end" => self.now + MONTH
            )))
        ])
}

fn stripe_state_change() -> FunctionDef {
    names!(subscription_id, kind, fields, subscription);
    def("change")
        .params([
            untyped("self"),
            param(subscription_id, str),
            param(kind, str),
            kwargs(fields, object),
        ])
        .returns(Object)
        .body(block![
            docstring("Change a subscription and tell of it."),
            assign(subscription, py!(self.objects[subscription_id])),
            do_(py!(subscription.update(fields))),
            do_(py!(self.emit(f!("customer.subscription.{}", kind), subscription))),
            return_(subscription)
        ])
}

fn stripe_state_move() -> FunctionDef {
    names!(subscription_id, lookup_key, subscription, price);
    def("move")
        .params([untyped("self"), param(subscription_id, str), param(lookup_key, str)])
        .returns(Object)
        .body(block![
            docstring("Change what a subscription is for."),
            assign(subscription, py!(self.objects[subscription_id])),
            assign(py!((price,)), py!(self.all("price", lookup_key = lookup_key))),
            assign(py!(subscription["items"]["data"][0]["price"]), py!(deepcopy(price))),
            return_(py!(self.change(subscription_id, "updated")))
        ])
}

fn stripe_state_fail_payment() -> FunctionDef {
    names!(subscription_id, subscription, invoice);
    def("fail_payment").params([untyped("self"), param(subscription_id, str)]).returns(Object).body(
        block![
            docstring("Renew a subscription with a card that is refused."),
            assign(subscription, py!(self.objects[subscription_id])),
            assign(invoice, py!(self.add_invoice(subscription, "open"))),
            do_(py!(self.emit("invoice.payment_failed", invoice))),
            return_(py!(self.change(subscription_id, "updated", status = "past_due")))
        ],
    )
}

fn stripe_state_pay() -> FunctionDef {
    names!(subscription_id, subscription, invoice);
    def("pay").params([untyped("self"), param(subscription_id, str)]).returns(Object).body(block![
        docstring("Pay what is due."),
        assign(subscription, py!(self.objects[subscription_id])),
        assign(invoice, py!(self.add_invoice(subscription, "paid"))),
        do_(py!(self.emit("invoice.paid", invoice))),
        return_(py!(self.change(subscription_id, "updated", status = "active")))
    ])
}

fn stripe_state_cancel() -> FunctionDef {
    names!(subscription_id);
    def("cancel").params([untyped("self"), param(subscription_id, str)]).returns(Object).body(
        block![
            docstring("End a subscription at once."),
            return_(py!(self.change(
                subscription_id,
                "deleted",
                status = "canceled",
                canceled_at = self.now,
                ended_at = self.now
            )))
        ],
    )
}

fn stripe_state_delete_customer() -> FunctionDef {
    names!(customer_id, subscription, customer);
    def("delete_customer").params([untyped("self"), param(customer_id, str)]).returns(Object).body(
        block![
            docstring("Delete a customer, whose subscriptions end by that."),
            for_(
                subscription,
                py!(self.all("subscription", customer = customer_id)),
                if_(
                    py!(not_in!(subscription["status"], OVER)),
                    [do_(py!(self.cancel(subscription["id"])))]
                )
            ),
            assign(customer, py!(self.objects[customer_id])),
            assign(py!(customer["deleted"]), true),
            do_(py!(self.emit("customer.deleted", customer))),
            return_(customer)
        ],
    )
}

fn in_old_shape_def() -> FunctionDef {
    names!(event, old, content, item, details);
    def(in_old_shape).params([param(event, Object)]).returns(Object).body(block![
        docstring("Write an event as an endpoint with a version from before 2025-03-31 gets it."),
        assign(old, py!(deepcopy(event))),
        assign(content, py!(old["data"]["object"])),
        if_(
            py!(content["object"] == "subscription"),
            for_(
                item,
                py!(content["items"]["data"]),
                block![
                    assign(
                        py!(content["current_period_start"]),
                        py!(item.pop("current_period_start"))
                    ),
                    assign(py!(content["current_period_end"]), py!(item.pop("current_period_end")))
                ]
            )
        ),
        if_(
            py!(content["object"] == "invoice"),
            block![
                assign(details, py!(content.pop("parent")["subscription_details"])),
                assign(py!(content["subscription"]), py!(details["subscription"]))
            ]
        ),
        return_(old)
    ])
}
