//! `backend/tests/test_openapi.py`: the description of the interface.

use crate::core::errors::PROBLEM_JSON;
use crate::python::builtins::{bool, dict, len, set, str};
use crate::python::fastapi::{FastAPI, iter_route_contexts};
use crate::python::pytest::pytest;
use crate::python::standard::{Any, json, re};
use crate::spec::{Entity, EntityNames, Spec};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_openapi": REFERENCE, TEXT_BOUNDS, PUBLIC, MATCHED, paths, has_bounds;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let totp = spec.auth.has_totp().then_some("/auth/totp/challenge");
    let public = [
        "/health",
        "/health/live",
        "/health/ready",
        "/auth/register",
        "/auth/login",
        "/auth/refresh",
        "/auth/verify/resend",
        "/auth/password/forgot",
        "/auth/password/reset",
        "/invitations/preview",
    ];
    let leaked = spec.organizations.api_keys.then_some("/api-keys/leaked");
    let addresses = spec.storage.is_on().then_some("/files/content");
    let plans = spec.billing.iter().map(|_| "/billing/plans");
    module("tests.test_openapi").docstring("The description of the interface.").body(block![
        assign(REFERENCE, py!(re.compile("#/components/schemas/([A-Za-z0-9_]+)"))),
        assign(TEXT_BOUNDS, py!(set!("maxLength", "format", "pattern", "const", "enum"))),
        assign(
            PUBLIC,
            make::set(public.into_iter().chain(totp).chain(leaked).chain(addresses).chain(plans))
        ),
        matched(spec).map(|matched| assign(MATCHED, matched)),
        paths_def(),
        test_operations_are_named_after_their_functions(),
        test_every_operation_documents_its_errors(),
        test_only_the_public_paths_need_no_token(),
        test_a_header_is_text_or_is_not_sent(spec),
        test_references_lead_somewhere(),
        test_whatever_is_sent_has_bounds(),
        has_bounds_def()
    ])
}

/// `dict[str, dict[str, Any]]`
fn operations_by_path() -> Expr {
    py!(dict[(str, dict[(str, Any)])])
}

fn paths_def() -> FunctionDef {
    names!(app);
    def(paths)
        .decorator(py!(pytest.fixture))
        .params([param(app, FastAPI)])
        .returns(operations_by_path())
        .body(block![
            ann_assign(paths, operations_by_path(), py!(app.openapi()["paths"])),
            return_(paths)
        ])
}

fn test_operations_are_named_after_their_functions() -> FunctionDef {
    names!(app, operations, names);
    async_def("test_operations_are_named_after_their_functions")
        .params([param(app, FastAPI), param(paths, operations_by_path())])
        .returns(none())
        .body(block![
            assign(
                operations,
                py!(
                    list!(item["operationId"] for path in paths.values() for item in path.values())
                )
            ),
            assign(names, py!(set!(context.name for context in iter_route_contexts(app.routes)))),
            assert_(py!(len(operations) == len(set(operations)))),
            assert_(py!(set(operations) <= names))
        ])
}

fn test_every_operation_documents_its_errors() -> FunctionDef {
    names!(path, operation, problem);
    async_def("test_every_operation_documents_its_errors")
        .params([param(paths, operations_by_path())])
        .returns(none())
        .body(for_(
            path,
            py!(paths.values()),
            for_(
                operation,
                py!(path.values()),
                block![
                    assign(problem, py!(operation["responses"]["422"]["content"][PROBLEM_JSON])),
                    assert_(py!(problem["schema"]["$ref"] == "#/components/schemas/Problem"))
                ],
            ),
        ))
}

fn test_only_the_public_paths_need_no_token() -> FunctionDef {
    names!(name, path, operation);
    async_def("test_only_the_public_paths_need_no_token")
        .params([param(paths, operations_by_path())])
        .returns(none())
        .body(for_(
            py!((name, path)),
            py!(paths.items()),
            for_(
                operation,
                py!(path.values()),
                [assert_that(py!(is_!(in_!("security", operation), not_in!(name, PUBLIC))), name)],
            ),
        ))
}

/// Where a change has to name the version that it is of.
fn matched(spec: &Spec) -> Option<Expr> {
    let path = |Entity { names: EntityNames { path, id, .. }, .. }: &Entity| {
        format!("/organizations/{{organization_id}}/{path}/{{{id}}}")
    };
    let entities = spec.entities.iter().filter(|entity| entity.requires_if_match);
    let found: Vec<String> = entities.map(path).collect();
    (!found.is_empty()).then(|| make::set(found.iter().map(String::as_str)))
}

fn test_a_header_is_text_or_is_not_sent(spec: &Spec) -> FunctionDef {
    names!(path, operation, parameter, name);
    let is_required = match matched(spec) {
        None => py!(!parameter["required"]),
        Some(_) => {
            py!(parameter["required"] == (parameter["name"] == "if-match" && in_!(name, MATCHED)))
        }
    };
    async_def("test_a_header_is_text_or_is_not_sent")
        .params([param(paths, operations_by_path())])
        .returns(none())
        .body(for_(
            py!((name, path)),
            py!(paths.items()),
            for_(
                operation,
                py!(path.values()),
                for_(
                    parameter,
                    py!(operation.get("parameters", [])),
                    if_(
                        py!(parameter["in"] == "header"),
                        block![
                            assert_(py!(parameter["schema"]["type"] == "string")),
                            assert_that(is_required, name)
                        ],
                    ),
                ),
            ),
        ))
}

fn test_references_lead_somewhere() -> FunctionDef {
    names!(app, schema, parts, reference);
    async_def("test_references_lead_somewhere").params([param(app, FastAPI)]).returns(none()).body(
        block![
            assign(schema, py!(app.openapi())),
            assert_(py!(is_!(schema, app.openapi()))),
            assign(parts, py!(schema["components"]["schemas"].keys())),
            for_(
                reference,
                py!(set(REFERENCE.findall(json.dumps(schema)))),
                [assert_(py!(in_!(reference, parts)))]
            )
        ],
    )
}

fn test_whatever_is_sent_has_bounds() -> FunctionDef {
    names!(app, name, part, field, schema, choice);
    async_def("test_whatever_is_sent_has_bounds")
        .params([param(app, FastAPI)])
        .returns(none())
        .body(for_(
            py!((name, part)),
            py!(app.openapi()["components"]["schemas"].items()),
            block![
                if_(py!(is_not!(part.get("additionalProperties"), false)), [continue_()]),
                for_(
                    py!((field, schema)),
                    py!(part["properties"].items()),
                    for_(
                        choice,
                        py!(schema.get("anyOf", [schema])),
                        [assert_that(py!(has_bounds(choice)), py!(f!("{}.{}", name, field)))]
                    )
                )
            ],
        ))
}

fn has_bounds_def() -> FunctionDef {
    names!(schema);
    def(has_bounds).params([param(schema, py!(dict[(str, Any)]))]).returns(bool).body(block![
        docstring("Tell whether a schema limits the size of its values."),
        if_(
            py!(schema.get("type") == "integer"),
            [return_(py!(set!("minimum", "maximum") <= schema.keys()))]
        ),
        if_(py!(schema.get("type") == "string"), [return_(py!(!TEXT_BOUNDS.isdisjoint(schema)))]),
        return_(true)
    ])
}
