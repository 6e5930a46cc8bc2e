//! `backend/app/core/concurrency.py`: no change overwrites one that its author has not seen.

use crate::core::errors::{PreconditionFailedError, PreconditionRequiredError};
use crate::models::base::Versioned;
use crate::python::builtins::str;
use crate::python::fastapi::{Depends, Header, Response};
use crate::python::standard::Annotated;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.concurrency": ENTITY_TAG, IfMatch, RequiredIfMatch, entity_tag, set_etag,
        require_match, require_if_match;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let is_required = spec.entities.iter().any(|entity| entity.requires_if_match);
    let header = py!(Header(
        pattern = ENTITY_TAG,
        description = "The ETag of what is changed; 412 if somebody was faster."
    ));
    module("app.core.concurrency")
        .docstring("No change overwrites one that its author has not seen (RFC 9110, section 13).")
        .body(block![
            assign(ENTITY_TAG, "^([*]|\"[0-9]{1,10}\")$"),
            assign(IfMatch, py!(Annotated[(str | None, header)])).paragraph(),
            entity_tag_def(),
            set_etag_def(),
            require_match_def(),
            is_required.then(|| block![
                require_if_match_def(),
                assign(RequiredIfMatch, py!(Annotated[(str, Depends(require_if_match))]))
            ])
        ])
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
