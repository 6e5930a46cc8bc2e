//! `backend/tests/fake_stripe.py`: a Stripe of our own: an HTTP server that answers from what it remembers.

use crate::core::plans::PLANS;
use crate::python::aiohttp::web;
use crate::python::builtins::{Exception, TYPE, int, list, object, str, tuple};
use crate::python::standard::{
    AsyncGenerator, Awaitable, Callable, Mapping, NamedTuple, asynccontextmanager, deepcopy, json,
    parse_qsl, time,
};
use crate::python::stripe::{SubscriptionListParams, SubscriptionRetrieveParams};
use crate::tests::stripe_contract::{inventions, refusals};
use crate::tests::stripe_state::{Object, StripeState};
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
        fake_stripe_list_subscriptions(),
        fake_stripe_read_object(),
        fake_stripe_find(),
        fake_stripe_list_of(),
        fake_stripe_expanded(),
        fake_stripe_handler(),
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
        ann_assign(py!(self.calls), py!(list[str]), py!([]))
    ])
}

fn fake_stripe_routes() -> FunctionDef {
    def("routes")
        .params([untyped("self")])
        .returns(py!(list[tuple[(str, str, TYPE, Callable[([Call], object)])]]))
        .body(block![
            docstring("List what can be called."),
            return_(py!([
                ("GET", "/v1/subscriptions", SubscriptionListParams, self.list_subscriptions),
                ("GET", "/v1/subscriptions/{id}", SubscriptionRetrieveParams, self.read_object)
            ]))
        ])
}

fn fake_stripe_list_subscriptions() -> FunctionDef {
    names!(call, customer, found);
    def("list_subscriptions").params([untyped("self"), param(call, Call)]).returns(object).body(
        block![
            docstring("List the subscriptions of a customer."),
            assign(customer, py!(self.find("customer", call.params["customer"]))),
            if_(py!(customer.get("deleted")), [raise(py!(missing("customer", customer["id"])))]),
            assign(found, py!(self.state.all("subscription", customer = customer["id"]))),
            return_(py!(self.list_of(found, call)))
        ],
    )
}

fn fake_stripe_read_object() -> FunctionDef {
    names!(call);
    def("read_object").params([untyped("self"), param(call, Call)]).returns(object).body(block![
        docstring("Read an object by its id."),
        return_(py!(self.expanded(self.find("", call.r#match["id"]), call)))
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
            param(answer, py!(Callable[([Call], object)])),
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
                            return_(py!(respond(200, answer(call))))
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

fn fake_stripe_serving() -> FunctionDef {
    names!(app, method, path, shape, answer, runner, site, port);
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
            assign(runner, py!(web.AppRunner(app))),
            do_(py!(runner.setup().await)),
            assign(site, py!(web.TCPSite(runner, "127.0.0.1", 0))),
            do_(py!(site.start().await)),
            assign(py!((_, port)), py!(runner.addresses[0])),
            assign(py!(self.url), py!(f!("http://127.0.0.1:{}", port))),
            do_(yield_(None)),
            do_(py!(runner.cleanup().await))
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
