//! `backend/tests/fake_stripe.py`: a Stripe of our own: an HTTP server that answers from what it remembers.

use crate::core::plans::PLANS;
use crate::python::aiohttp::web;
use crate::python::builtins::{Exception, TYPE, dict, int, len, list, object, str, tuple};
use crate::python::standard::{
    AsyncGenerator, Awaitable, Callable, Mapping, NamedTuple, asynccontextmanager, deepcopy, json,
    parse_qsl, time,
};
use crate::python::stripe::{
    CustomerCreateParams, CustomerRetrieveParams, InvoiceListParams, PriceListParams,
    SubscriptionCancelParams, SubscriptionListParams, SubscriptionResumeParams,
    SubscriptionRetrieveParams, SubscriptionUpdateParams, billing_portal, checkout,
};
use crate::tests::servers::hosting;
use crate::tests::stripe_contract::{inventions, refusals};
use crate::tests::stripe_state::{OVER, Object, StripeState};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.fake_stripe": Call, StripeRefusalError, FakeStripe, respond, accept, missing,
        idempotency_key, nested;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let docstring = "A Stripe of our own: an HTTP server that answers from what it remembers.\n\
                     \n\
                     It takes no parameter that Stripe does not take, and says nothing that Stripe does not.";
    module("tests.fake_stripe").docstring(docstring).body(block![
        call_class(),
        stripe_refusal_error_class(),
        fake_stripe_class(),
        respond_def(),
        accept_def(),
        missing_def(),
        idempotency_key_def(),
        nested_def()
    ])
}

fn call_class() -> ClassDef {
    names!(r#match, params, key);
    class(Call).base(NamedTuple).body(block![
        docstring("A request as Stripe reads it."),
        annotate(r#match, py!(Mapping[(str, str)])),
        annotate(params, Object),
        annotate(key, py!(str | None))
    ])
}

fn stripe_refusal_error_class() -> ClassDef {
    class(StripeRefusalError)
        .base(Exception)
        .body(block![docstring("Stripe answers with an error."), stripe_refusal_error_init()])
}

fn stripe_refusal_error_init() -> FunctionDef {
    names!(status, error);
    def("__init__")
        .params([untyped("self"), param(status, int), kwargs(error, object)])
        .returns(none())
        .body(block![
            docstring("Say what is wrong."),
            do_(py!(super().__init__(str(error)))),
            assign(py!(self.status), status),
            assign(py!(self.error), error)
        ])
}

fn fake_stripe_class() -> ClassDef {
    class(FakeStripe).body(block![
        docstring("The server."),
        fake_stripe_init(),
        fake_stripe_reset(),
        fake_stripe_routes(),
        fake_stripe_subscriptions(),
        fake_stripe_prices(),
        fake_stripe_invoices(),
        fake_stripe_read(),
        fake_stripe_add_customer(),
        fake_stripe_customer(),
        fake_stripe_living(),
        fake_stripe_add_checkout(),
        fake_stripe_expire_checkout(),
        fake_stripe_add_portal(),
        fake_stripe_change_subscription(),
        fake_stripe_resume(),
        fake_stripe_cancel(),
        fake_stripe_find(),
        fake_stripe_list_of(),
        fake_stripe_expanded(),
        fake_stripe_handler(),
        fake_stripe_once(),
        fake_stripe_serving()
    ])
}

fn fake_stripe_init() -> FunctionDef {
    def("__init__").params([untyped("self")]).returns(none()).body(block![
        docstring("Remember nothing yet."),
        assign(py!(self.url), ""),
        do_(py!(self.reset()))
    ])
}

fn fake_stripe_reset() -> FunctionDef {
    names!(plan);
    def("reset").params([untyped("self")]).returns(none()).body(block![
        docstring("Forget everything but the prices."),
        assign(py!(self.state), py!(StripeState(now = int(time.time())))),
        for_(
            plan,
            py!(PLANS.values()),
            if_(py!(plan.price != None), [do_(py!(self.state.add_price(plan.price.lookup_key)))])
        ),
        assign(py!(self.is_down), false),
        ann_assign(py!(self.calls), py!(list[str]), py!([])),
        ann_assign(py!(self.answers), py!(dict[(str, tuple[(object, Object)])]), py!(dict!()))
    ])
}

fn fake_stripe_routes() -> FunctionDef {
    names!(one, checkouts);
    def("routes")
        .params([untyped("self")])
        .returns(py!(list[tuple[(str, str, TYPE, Callable[([Call], Object)])]]))
        .body(block![
            docstring("List what can be called."),
            assign(one, "/v1/subscriptions/{id}"),
            assign(checkouts, "/v1/checkout/sessions"),
            return_(py!([
                ("GET", "/v1/subscriptions", SubscriptionListParams, self.subscriptions),
                ("GET", one, SubscriptionRetrieveParams, self.read),
                ("POST", one, SubscriptionUpdateParams, self.change_subscription),
                ("DELETE", one, SubscriptionCancelParams, self.cancel),
                ("POST", f!("{}/resume", one), SubscriptionResumeParams, self.resume),
                ("POST", "/v1/customers", CustomerCreateParams, self.add_customer),
                ("GET", "/v1/customers/{id}", CustomerRetrieveParams, self.customer),
                ("GET", "/v1/prices", PriceListParams, self.prices),
                ("GET", "/v1/invoices", InvoiceListParams, self.invoices),
                ("POST", checkouts, checkout.SessionCreateParams, self.add_checkout),
                ("GET", f!("{}/{{id}}", checkouts), checkout.SessionRetrieveParams, self.read),
                (
                    "POST",
                    f!("{}/{{id}}/expire", checkouts),
                    checkout.SessionExpireParams,
                    self.expire_checkout
                ),
                (
                    "POST",
                    "/v1/billing_portal/sessions",
                    billing_portal.SessionCreateParams,
                    self.add_portal
                )
            ]))
        ])
}

fn fake_stripe_subscriptions() -> FunctionDef {
    names!(call, customer, found);
    def("subscriptions").params([untyped("self"), param(call, Call)]).returns(Object).body(block![
        docstring("List the subscriptions of a customer."),
        assign(customer, py!(self.living(call.params["customer"]))),
        assign(found, py!(self.state.all("subscription", customer = customer["id"]))),
        return_(py!(self.list_of(found, call)))
    ])
}

fn fake_stripe_prices() -> FunctionDef {
    names!(call, keys, found);
    def("prices").params([untyped("self"), param(call, Call)]).returns(Object).body(block![
        docstring("List the prices with one of these keys."),
        assign(keys, py!(call.params["lookup_keys"].values())),
        assign(found, py!(self.state.all("price", active = true))),
        return_(py!(
            self.list_of(list!(one for one in found if in_!(one["lookup_key"], keys)), call)
        ))
    ])
}

fn fake_stripe_invoices() -> FunctionDef {
    names!(call, found, after, limit);
    def("invoices").params([untyped("self"), param(call, Call)]).returns(Object).body(block![
        docstring("List the invoices of a customer, as many as asked for."),
        assign(found, py!(self.state.all("invoice", customer = call.params["customer"]))),
        assign(after, py!(call.params.get("starting_after"))),
        if_(
            py!(after != None),
            block![
                do_(py!(self.find("invoice", after))),
                assign(found, py!(found[list!(one["id"] for one in found).index(after) + 1..]))
            ]
        ),
        assign(limit, py!(int(call.params["limit"]))),
        return_(py!(self.list_of(found[..limit], call) | dict!("has_more" => len(found) > limit)))
    ])
}

fn fake_stripe_read() -> FunctionDef {
    names!(call);
    def("read").params([untyped("self"), param(call, Call)]).returns(Object).body(block![
        docstring("Read an object by its id."),
        return_(py!(self.expanded(self.find("", call.r#match["id"]), call)))
    ])
}

fn fake_stripe_add_customer() -> FunctionDef {
    names!(call);
    def("add_customer").params([untyped("self"), param(call, Call)]).returns(Object).body(block![
        docstring("Add a customer."),
        return_(py!(self.state.add_customer(**call.params)))
    ])
}

fn fake_stripe_customer() -> FunctionDef {
    names!(call, customer, deleted);
    def("customer").params([untyped("self"), param(call, Call)]).returns(Object).body(block![
        docstring("Read a customer; of a deleted one there is little left."),
        assign(customer, py!(self.find("customer", call.r#match["id"]))),
        assign(
            deleted,
            py!(dict!("id" => customer["id"], "object" => "customer", "deleted" => true))
        ),
        return_(py!(if customer.get("deleted") { deleted } else { customer }))
    ])
}

fn fake_stripe_living() -> FunctionDef {
    names!(customer_id, customer);
    def("living").params([untyped("self"), param(customer_id, str)]).returns(Object).body(block![
        docstring("Find a customer; one who was deleted can be read, and nothing else."),
        assign(customer, py!(self.find("customer", customer_id))),
        if_(py!(customer.get("deleted")), [raise(py!(missing("customer", customer_id)))]),
        return_(customer)
    ])
}

fn fake_stripe_add_checkout() -> FunctionDef {
    names!(call, item, price);
    def("add_checkout").params([untyped("self"), param(call, Call)]).returns(Object).body(block![
        docstring("Open a checkout; that its parts exist is checked when it is paid."),
        do_(py!(self.living(call.params["customer"]))),
        assign(py!((item,)), py!(call.params["line_items"].values())),
        assign(price, py!(self.find("price", item["price"]))),
        return_(py!(self.state.add_checkout(
            call.params,
            price["lookup_key"],
            int(item["quantity"])
        )))
    ])
}

fn fake_stripe_expire_checkout() -> FunctionDef {
    names!(call, session);
    def("expire_checkout").params([untyped("self"), param(call, Call)]).returns(Object).body(
        block![
            docstring("Close a checkout."),
            assign(session, py!(self.find("checkout.session", call.r#match["id"]))),
            if_(
                py!(session["status"] != "open"),
                [raise(py!(StripeRefusalError(400, message = "This session is not open")))]
            ),
            return_(py!(self.state.expire_checkout(session)))
        ],
    )
}

fn fake_stripe_add_portal() -> FunctionDef {
    names!(call, made);
    def("add_portal").params([untyped("self"), param(call, Call)]).returns(Object).body(block![
        docstring("Open the page of a customer."),
        do_(py!(self.living(call.params["customer"]))),
        assign(made, py!(self.state.add("bps", "billing_portal.session", **call.params))),
        return_(py!(made | dict!("url" => f!("https://billing.stripe.com/{}", made["id"]))))
    ])
}

fn fake_stripe_change_subscription() -> FunctionDef {
    names!(call, subscription, change, message, item, at_end);
    def("change_subscription").params([untyped("self"), param(call, Call)]).returns(Object).body(
        block![
            docstring("Change a subscription, if what that costs can be collected."),
            assign(subscription, py!(self.find("subscription", call.r#match["id"]))),
            if_(
                py!(in_!(subscription["status"], OVER)),
                [raise(py!(missing("subscription", subscription["id"])))]
            ),
            for_(
                change,
                py!(call.params.get("items", dict!()).values()),
                block![
                    assign(py!((item,)), py!(subscription["items"]["data"])),
                    assert_(py!(item["id"] == change["id"])),
                    if_(
                        py!(self.state.declines),
                        block![
                            assign(message, "Your card was declined."),
                            raise(py!(StripeRefusalError(
                                402,
                                r#type = "card_error",
                                message = message
                            )))
                        ]
                    ),
                    if_(
                        py!(in_!("price", change)),
                        [assign(py!(item["price"]), py!(self.find("price", change["price"])))]
                    ),
                    assign(py!(item["quantity"]), py!(int(change["quantity"])))
                ]
            ),
            if_(
                py!(in_!("cancel_at_period_end", call.params)),
                block![
                    assign(at_end, py!(call.params["cancel_at_period_end"] == "true")),
                    assign(py!(subscription["cancel_at_period_end"]), at_end)
                ]
            ),
            if_(
                py!(in_!("cancel_at", call.params)),
                [assign(py!(subscription["cancel_at"]), none())]
            ),
            return_(py!(self.state.change(subscription["id"], "updated")))
        ],
    )
}

fn fake_stripe_resume() -> FunctionDef {
    names!(call, subscription);
    def("resume").params([untyped("self"), param(call, Call)]).returns(Object).body(block![
        docstring("Start a paused subscription again."),
        assign(subscription, py!(self.find("subscription", call.r#match["id"]))),
        if_(
            py!(subscription["status"] != "paused"),
            [raise(py!(StripeRefusalError(400, message = "This subscription is not paused")))]
        ),
        return_(py!(self.state.change(subscription["id"], "resumed", status = "active")))
    ])
}

fn fake_stripe_cancel() -> FunctionDef {
    names!(call, subscription);
    def("cancel").params([untyped("self"), param(call, Call)]).returns(Object).body(block![
        docstring("End a subscription at once."),
        assign(subscription, py!(self.find("subscription", call.r#match["id"]))),
        return_(py!(self.state.cancel(subscription["id"])))
    ])
}

fn fake_stripe_find() -> FunctionDef {
    names!(kind, identifier, found);
    def("find")
        .params([untyped("self"), param(kind, str), param(identifier, str)])
        .returns(Object)
        .body(block![
            docstring("Find an object."),
            assign(found, py!(self.state.objects.get(identifier))),
            if_(
                py!(found == None || kind && found["object"] != kind),
                [raise(py!(missing(kind, identifier)))]
            ),
            return_(found)
        ])
}

fn fake_stripe_list_of() -> FunctionDef {
    names!(found, call, data);
    def("list_of")
        .params([untyped("self"), param(found, py!(list[Object])), param(call, Call)])
        .returns(Object)
        .body(block![
            docstring("Answer with a list."),
            assign(data, py!(list!(self.expanded(one, call, "data.") for one in found))),
            return_(py!(
                dict!("object" => "list", "data" => data, "has_more" => false, "url" => "/v1")
            ))
        ])
}

fn fake_stripe_expanded() -> FunctionDef {
    names!(found, call, prefix, answer, path, name);
    def("expanded")
        .params([
            untyped("self"),
            param(found, Object),
            param(call, Call),
            param(prefix, str).default(""),
        ])
        .returns(Object)
        .body(block![
            docstring("Write an object with those in it that the caller asks for."),
            assert_(py!(!inventions(found))),
            assign(answer, py!(deepcopy(found))),
            for_(
                path,
                py!(call.params.get("expand", dict!()).values()),
                block![
                    assign(name, py!(path.removeprefix(prefix))),
                    if_(
                        py!(answer[name] != None),
                        [assign(
                            py!(answer[name]),
                            py!(deepcopy(self.state.objects[answer[name]]))
                        )]
                    )
                ]
            ),
            return_(answer)
        ])
}

fn fake_stripe_handler() -> FunctionDef {
    names!(shape, answer, handle);
    def("handler")
        .params([
            untyped("self"),
            param(shape, TYPE),
            param(answer, py!(Callable[([Call], Object)])),
        ])
        .returns(py!(Callable[([web.Request], Awaitable[web.Response])]))
        .body(block![
            docstring("Wrap a call: the key is asked for, the parameters are checked."),
            {
                names!(request, body, call, refusal, error);
                async_def(handle)
                    .params([param(request, py!(web.Request))])
                    .returns(py!(web.Response))
                    .body(block![
                        do_(py!(self.calls.append(f!("{} {}", request.method, request.path)))),
                        if_(
                            py!(self.is_down),
                            [return_(py!(respond(
                                503,
                                dict!("error" => dict!("type" => "api_error"))
                            )))]
                        ),
                        assign(body, py!(request.text().await || request.query_string)),
                        assign(
                            call,
                            py!(Call(request.match_info, nested(body), idempotency_key(request)))
                        ),
                        try_(block![
                            do_(py!(accept(call, shape))),
                            return_(py!(respond(200, self.once(request.path, call, answer))))
                        ])
                        .except_as(
                            StripeRefusalError,
                            refusal,
                            block![
                                assign(
                                    error,
                                    py!(dict!("type" => "invalid_request_error", **refusal.error))
                                ),
                                return_(py!(respond(refusal.status, dict!("error" => error))))
                            ]
                        )
                    ])
            },
            return_(handle)
        ])
}

fn fake_stripe_once() -> FunctionDef {
    names!(path, call, answer, asked, before, answered);
    def("once")
        .params([
            untyped("self"),
            param(path, str),
            param(call, Call),
            param(answer, py!(Callable[([Call], Object)])),
        ])
        .returns(Object)
        .body(block![
            docstring("Answer a request that is repeated with its key as the first time."),
            if_(py!(call.key == None), [return_(py!(answer(call)))]),
            assign(asked, py!((path, call.params))),
            if_(
                py!(not_in!(call.key, self.answers)),
                [assign(py!(self.answers[call.key]), py!((asked, answer(call))))]
            ),
            assign(py!((before, answered)), py!(self.answers[call.key])),
            if_(
                py!(before != asked),
                [raise(py!(StripeRefusalError(400, r#type = "idempotency_error")))]
            ),
            return_(answered)
        ])
}

fn fake_stripe_serving() -> FunctionDef {
    names!(app, method, path, shape, answer);
    async_def("serving")
        .decorator(asynccontextmanager)
        .params([untyped("self")])
        .returns(py!(AsyncGenerator[(None, None)]))
        .body(block![
            docstring("Serve on a free port."),
            assign(app, py!(web.Application())),
            for_(
                py!((method, path, shape, answer)),
                py!(self.routes()),
                [do_(py!(app.router.add_route(method, path, self.handler(shape, answer))))]
            ),
            async_with_as(py!(hosting(app)), py!(self.url), [do_(yield_(None))])
        ])
}

fn respond_def() -> FunctionDef {
    names!(status, content, headers);
    def(respond)
        .params([param(status, int), param(content, object)])
        .returns(py!(web.Response))
        .body(block![
            docstring("Answer in JSON; nothing that failed is worth a retry of the library."),
            assign(
                headers,
                py!(dict!("Stripe-Should-Retry" => "false", "Request-Id" => "req_fake"))
            ),
            return_(py!(web.Response(
                status = status,
                text = json.dumps(content),
                headers = headers
            )))
        ])
}

fn accept_def() -> FunctionDef {
    names!(call, shape, problem);
    def(accept).params([param(call, Call), param(shape, TYPE)]).returns(none()).body(block![
        docstring("Refuse a parameter that Stripe does not take."),
        for_(
            problem,
            py!(refusals(call.params, shape)),
            [raise(py!(StripeRefusalError(400, message = problem)))]
        )
    ])
}

fn missing_def() -> FunctionDef {
    names!(kind, identifier, message);
    def(missing)
        .params([param(kind, str), param(identifier, str)])
        .returns(StripeRefusalError)
        .body(block![
            docstring("Say that there is no such object."),
            assign(message, py!(f!("No such {}: '{}'", kind, identifier))),
            return_(py!(StripeRefusalError(404, code = "resource_missing", message = message)))
        ])
}

fn idempotency_key_def() -> FunctionDef {
    names!(request);
    def(idempotency_key).params([param(request, py!(web.Request))]).returns(py!(str | None)).body(
        block![
            docstring("Return the key that makes a request one with its repetitions."),
            return_(py!(request.headers.get("Idempotency-Key")))
        ],
    )
}

fn nested_def() -> FunctionDef {
    names!(form, content, name, value, parts, last, place, part);
    def(nested).params([param(form, str)]).returns(Object).body(block![
        docstring("Read `a[b][0]=c` as Stripe does."),
        ann_assign(content, Object, py!(dict!())),
        for_(
            py!((name, value)),
            py!(parse_qsl(form, keep_blank_values = true)),
            block![
                assign(py!((*parts, last)), py!(name.replace("]", "").split("["))),
                assign(place, content),
                for_(part, parts, [assign(place, py!(place.setdefault(part, dict!())))]),
                assign(py!(place[last]), value)
            ]
        ),
        return_(content)
    ])
}
