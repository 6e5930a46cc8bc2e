//! `backend/tests/openapi_hooks.py`: what schemathesis learns of the interface while it calls it.
//!
//! Without it nearly every request would name an organization that does not exist, and prove little.

use crate::python::builtins::{
    bool, dict, frozenset, int, isinstance, len, list, next, object, str,
};
use crate::python::httpx2::httpx2;
use crate::python::schemathesis::{
    AuthContext, Case, Failure, HookContext, JsonValue, ParameterLocation, RejectedPositiveData,
    Response, TestPhase, schemathesis,
};
use crate::python::standard::{Any, Iterator, SimpleCookie, count, defaultdict, os};
use crate::spec::{AuthMode, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.openapi_hooks": DOOR, Place, places, turns, Caller, is_leaving, note, before_call,
        somewhere, point, found, after_call, parameter_of_items, identifiers, filter_failure;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let has_entities = !spec.entities.is_empty();
    module("tests.openapi_hooks")
        .docstring("What schemathesis learns of the interface: who calls it, and what there is.")
        .body(block![
            assign(DOOR, py!(os.environ.get("OPENAPI_DOOR")))
                .paragraph()
                .comment("schemathesis leaves some of its types open.")
                .comment("pyright: reportUnknownMemberType=false"),
            assign(Place, py!(dict[(str, str)])),
            ann_assign(
                places,
                py!(defaultdict[(frozenset[str], list[Place])]),
                py!(defaultdict(list))
            )
            .comment("The ways to what is there, by the parameters of their paths, oldest first."),
            assign(turns, py!(count())),
            caller_class(spec),
            is_leaving_def(),
            if_(
                py!(DOOR != None),
                [do_(py!(schemathesis.auth(cache_by_key = is_leaving)(Caller)))]
            ),
            note_def(),
            before_call_def(has_entities),
            somewhere_def(),
            point_def(),
            found_def(),
            after_call_def(),
            parameter_of_items_def(),
            identifiers_def(),
            filter_failure_def()
        ])
}

fn any_case() -> Expr {
    py!(Case[Any])
}

fn caller_class(spec: &Spec) -> ClassDef {
    class(Caller).body(block![
        docstring("Somebody with an organization, who signs in again when a session has ended."),
        caller_get(spec),
        caller_set(spec.auth.mode)
    ])
}

fn caller_get(spec: &Spec) -> FunctionDef {
    names!(case, context, name, answer, headers);
    let payer = spec.billing.as_ref().map(|_| {
        let payer = py!(dict!("payer_id" => answer["organization_id"]));
        do_(py!(note(payer)))
    });
    def("get")
        .params([untyped("self"), param(case, any_case()), param(context, AuthContext)])
        .returns(py!(dict[(str, str)]))
        .body(block![
            docstring("Open a session; whoever is going to leave is somebody else."),
            assign(name, py!(if is_leaving(case, context) { "leaver" } else { "owner" })),
            assign(answer, py!(httpx2.get(f!("{}{}", DOOR, name), timeout = 60).json())),
            ann_assign(headers, py!(dict[(str, str)]), py!(answer["headers"])),
            if_(
                py!(name == "owner"),
                block![
                    do_(py!(note(dict!("organization_id" => answer["organization_id"])))),
                    payer
                ]
            ),
            return_(headers)
        ])
}

/// A cookie that the description names has to be one to schemathesis, which takes it away to see that it is missed.
fn caller_set(mode: AuthMode) -> FunctionDef {
    names!(case, data, _context, cookies);
    let body = match mode {
        AuthMode::Bearer | AuthMode::Both => block![do_(py!(case.headers.update(data)))],
        AuthMode::Cookie => {
            names!(name, cookie, value);
            block![
                assign(cookies, py!(SimpleCookie(data["Cookie"]))),
                do_(py!(case
                    .cookies
                    .update(dict!(name => cookie.value for (name, cookie) in cookies.items())))),
                do_(py!(case.headers.update(
                    dict!(name => value for (name, value) in data.items() if name != "Cookie")
                )))
            ]
        }
    };
    def("set")
        .params([
            untyped("self"),
            param(case, any_case()),
            param(data, py!(dict[(str, str)])),
            param(_context, AuthContext),
        ])
        .returns(none())
        .body(block![docstring("Send a request in the session."), body])
}

fn is_leaving_def() -> FunctionDef {
    names!(case, _context);
    def(is_leaving)
        .params([param(case, any_case()), param(_context, AuthContext)])
        .returns(bool)
        .body(block![
            docstring("Tell whether a request takes the account of its caller away."),
            return_(py!((case.method, case.path) == ("DELETE", "/auth/me")))
        ])
}

fn note_def() -> FunctionDef {
    names!(place, known);
    def(note).params([param(place, Place)]).returns(none()).body(block![
        docstring("Remember a way to something."),
        assign(known, py!(places[frozenset(place)])),
        if_(py!(not_in!(place, known)), [do_(py!(known.append(place)))])
    ])
}

fn before_call_def(has_entities: bool) -> FunctionDef {
    names!(_context, case, _options, meta, turn);
    let any_version = has_entities.then(|| {
        let is_sent =
            py!(in_!("if-match", case.headers) && !meta.is_negative_at(ParameterLocation.HEADER));
        if_(is_sent, [assign(py!(case.headers["if-match"]), "*")])
    });
    def(before_call)
        .decorator(py!(schemathesis.hook))
        .params([
            param(_context, HookContext),
            param(case, any_case()),
            param(_options, py!(dict[(str, object)])),
        ])
        .returns(none())
        .body(block![
            docstring(
                "Ask for what is there, three times in four.\n\
                 \n\
                 What a link leads to stays as it is, and so does what is wrong on purpose."
            ),
            assign(py!((meta, turn)), py!((case.meta, next(turns)))),
            if_(py!(meta == None || meta.phase.name == TestPhase.STATEFUL), [return_none()]),
            if_(
                py!(!meta.is_negative_at(ParameterLocation.PATH)),
                [do_(py!(case.path_parameters.update(somewhere(case, turn))))]
            ),
            if_(
                py!(isinstance(case.body, dict | list)
                    && !meta.is_negative_at(ParameterLocation.BODY)),
                [do_(py!(point(case.body, case.path_parameters.get("organization_id"))))]
            ),
            any_version
        ])
}

fn somewhere_def() -> FunctionDef {
    names!(case, turn, known, keys, near);
    let is_nearer = py!(keys <= case.path_parameters.keys() && near && len(keys) >= len(known[0]));
    def(somewhere).params([param(case, any_case()), param(turn, int)]).returns(Place).body(block![
        docstring("Choose the oldest of what is there; what is removed is the newest."),
        ann_assign(known, py!(list[Place]), py!([dict!()])),
        for_(py!((keys, near)), py!(places.items()), if_(is_nearer, [assign(known, near)])),
        if_(
            py!(case.method == "DELETE"),
            [return_(py!(if len(known) > 1 { known[-1] } else { dict!() }))]
        ),
        return_(py!(if turn % 4 { known[0] } else { dict!() }))
    ])
}

fn point_def() -> FunctionDef {
    names!(body, organization_id, one, name, value);
    def(point)
        .params([param(body, JsonValue), param(organization_id, object)])
        .returns(none())
        .body(block![
            docstring("Let the references in a body lead to something in the organization."),
            if_(
                py!(isinstance(body, list)),
                [for_(one, body, [do_(py!(point(one, organization_id)))])]
            )
            .elif(
                py!(isinstance(body, dict)),
                [for_(
                    py!((name, value)),
                    py!(body.items()),
                    block![
                        do_(py!(point(value, organization_id))),
                        assign(py!(body[name]), py!(next(found(name, organization_id), value)))
                    ]
                )]
            )
        ])
}

fn found_def() -> FunctionDef {
    names!(name, organization_id, keys, known, one);
    def(found)
        .params([param(name, str), param(organization_id, object)])
        .returns(py!(Iterator[str]))
        .body(block![
            docstring("Find the values that a parameter has in an organization."),
            for_(
                py!((keys, known)),
                py!(places.items()),
                if_(
                    py!(set!(name, "organization_id") <= keys),
                    [for_(
                        one,
                        known,
                        if_(
                            py!(one["organization_id"] == organization_id),
                            [do_(py!(yield_!(one[name])))]
                        )
                    )]
                )
            )
        ])
}

fn after_call_def() -> FunctionDef {
    names!(_context, case, response, place, is_gone, name, identifier);
    def(after_call)
        .decorator(py!(schemathesis.hook))
        .params([param(_context, HookContext), param(case, any_case()), param(response, Response)])
        .returns(none())
        .body(block![
            docstring("Remember what is made or listed, and forget what is gone."),
            {
                names!(name, value);
                assign(
                    place,
                    py!(dict!(
                        name => str(value) for (name, value) in case.path_parameters.items()
                    )),
                )
            },
            assign(
                is_gone,
                py!(in_!((case.method, response.status_code), set!(("GET", 404), ("DELETE", 204))))
            ),
            if_(
                py!(is_gone && in_!(place, places[frozenset(place)])),
                [do_(py!(places[frozenset(place)].remove(place)))]
            ),
            assign(name, py!(parameter_of_items(case))),
            if_(
                py!(name != None && in_!(response.status_code, set!(200, 201))),
                [for_(
                    identifier,
                    py!(identifiers(response.json())),
                    [do_(py!(note(dict!(**place, name => identifier))))]
                )]
            )
        ])
}

fn parameter_of_items_def() -> FunctionDef {
    names!(case, start, paths, longer, path, rest);
    def(parameter_of_items).params([param(case, any_case())]).returns(py!(str | None)).body(block![
        docstring("Find the parameter that names one of those that a path lists."),
        assign(start, py!(case.path + "/{")),
        ann_assign(paths, py!(list[str]), py!(list(case.operation.schema.raw_schema["paths"]))),
        assign(
            longer,
            py!(generator!(
                path.removeprefix(start) for path in paths if path.startswith(start)
            ))
        ),
        return_(py!(next(generator!(rest.partition("}")[0] for rest in longer), None)))
    ])
}

fn identifiers_def() -> FunctionDef {
    names!(answer, part, identifier);
    let in_part = || for_(identifier, py!(identifiers(part)), [do_(py!(yield_!(identifier)))]);
    def(identifiers).params([param(answer, JsonValue)]).returns(py!(Iterator[str])).body(block![
        docstring("Find what an answer calls things."),
        if_(
            py!(isinstance(answer, dict) && in_!("id", answer)),
            [do_(py!(yield_!(str(answer["id"]))))]
        )
        .elif(py!(isinstance(answer, dict)), [for_(part, py!(answer.values()), in_part())])
        .elif(py!(isinstance(answer, list)), [for_(part, answer, in_part())])
    ])
}

fn filter_failure_def() -> FunctionDef {
    names!(_context, failure, _case, response, problem, kinds, error);
    let doc = "Let two answers to valid data pass, because no schema can say when they come.\n\
               \n\
               A password can be too common, and an idempotency key that of another request.";
    let is_kept =
        py!(kinds != set!("common_password") && problem["code"] != "idempotency_key_reused");
    def(filter_failure)
        .decorator(py!(schemathesis.hook))
        .params([
            param(_context, HookContext),
            param(failure, Failure),
            param(_case, any_case()),
            param(response, Response),
        ])
        .returns(bool)
        .body(block![
            docstring(doc),
            if_(py!(!isinstance(failure, RejectedPositiveData)), [return_(true)]),
            assign(problem, py!(response.json())),
            assign(kinds, py!(set!(error["type"] for error in problem.get("errors", [])))),
            return_(is_kept)
        ])
}
