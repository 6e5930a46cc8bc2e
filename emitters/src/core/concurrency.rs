//! `backend/app/core/concurrency.py`: no change overwrites one that its author has not seen.

use crate::core::errors::{PROBLEM_RESPONSES, PreconditionFailedError, PreconditionRequiredError};
use crate::models::base::Versioned;
use crate::python::builtins::{dict, int, str};
use crate::python::fastapi::{Depends, Header, Response};
use crate::python::pydantic::{Field, SkipJsonSchema};
use crate::python::standard::{Annotated, Any, HTTPStatus};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.concurrency": ENTITY_TAG, EntityTag, IfMatch, IF_MATCH_RESPONSES, RequiredIfMatch,
        entity_tag, set_etag, require_match, require_if_match, document_if_match;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let is_required = spec.entities.iter().any(|entity| entity.requires_if_match);
    let said = "The ETag of what is changed; 412 if somebody was faster.";
    let tag = py!(Annotated[(str, Field(pattern = ENTITY_TAG))]);
    let header = py!(Header(description = said));
    module("app.core.concurrency")
        .docstring("No change overwrites one that its author has not seen (RFC 9110, section 13).")
        .body(block![
            assign(ENTITY_TAG, "^([*]|\"[0-9]{1,10}\")$"),
            assign(EntityTag, tag).paragraph(),
            assign(IfMatch, py!(Annotated[(EntityTag | SkipJsonSchema[None], header)])),
            entity_tag_def(),
            set_etag_def(),
            require_match_def(),
            is_required.then(|| block![
                require_if_match_def(),
                document_if_match_def(),
                assign(RequiredIfMatch, py!(Annotated[(str, Depends(require_if_match))])),
                if_match_responses()
            ])
        ])
}

/// What a route answers besides all that every route can.
fn if_match_responses() -> Stmt {
    let status = || py!(HTTPStatus.PRECONDITION_REQUIRED);
    let refused = py!(PROBLEM_RESPONSES[HTTPStatus.PRECONDITION_FAILED.value]["content"]);
    let response = py!(dict!("description" => { status() }.phrase, "content" => refused));
    ann_assign(
        IF_MATCH_RESPONSES,
        py!(dict[(int | str, dict[(str, Any)])]),
        py!(dict!({ status() }.value => response)),
    )
}

fn entity_tag_def() -> FunctionDef {
    names!(row);
    def(entity_tag).params([param(row, Versioned)]).returns(str).body(block![
        docstring("Name the version of a row."),
        return_(py!(f!("\"{}\"", row.row_version)))
    ])
}

fn set_etag_def() -> FunctionDef {
    names!(response, row);
    def(set_etag).params([param(response, Response), param(row, Versioned)]).returns(none()).body(
        block![
            docstring("Tell the caller which version of a row the response shows."),
            assign(py!(response.headers["ETag"]), py!(entity_tag(row)))
        ],
    )
}

fn require_match_def() -> FunctionDef {
    names!(row, if_match);
    let is_other = py!(not_in!(if_match, (None, "*", entity_tag(row))));
    def(require_match)
        .params([param(row, Versioned), param(if_match, py!(str | None))])
        .returns(none())
        .body(block![
            docstring("Refuse to change a version that the caller has not seen."),
            if_(
                is_other,
                [raise(py!(PreconditionFailedError("Somebody has changed this in between.")))]
            )
        ])
}

fn document_if_match_def() -> FunctionDef {
    names!(schema, path, operation, parameter);
    let answer = py!(str(HTTPStatus.PRECONDITION_REQUIRED.value));
    let is_needed = py!(in_!(answer, operation["responses"]) && parameter["name"] == "if-match");
    def(document_if_match).params([param(schema, py!(dict[(str, Any)]))]).returns(none()).body(
        block![
            docstring("Write down in an OpenAPI schema where a change must name its version."),
            for_(
                path,
                py!(schema["paths"].values()),
                for_(
                    operation,
                    py!(path.values()),
                    for_(
                        parameter,
                        py!(operation.get("parameters", [])),
                        if_(is_needed, [assign(py!(parameter["required"]), true)])
                    )
                )
            )
        ],
    )
}

fn require_if_match_def() -> FunctionDef {
    names!(if_match);
    let detail = "Send the ETag of what you change in If-Match.";
    def(require_if_match).params([param(if_match, IfMatch).default(none())]).returns(str).body(
        block![
            docstring("Refuse a change that does not say which version it is of."),
            if_(py!(if_match == None), [raise(py!(PreconditionRequiredError(detail)))]),
            return_(if_match)
        ],
    )
}
