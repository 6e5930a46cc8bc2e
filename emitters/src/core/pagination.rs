//! `backend/app/core/pagination.py`: lists in pages: newest first, continued by a signed cursor, never counted.

use crate::core::errors::NotFoundError;
use crate::core::security::{Purpose, Signer, SignerDep};
use crate::models::base::Record;
use crate::models::types::UTCDateTime;
use crate::python::builtins::{TYPE, any, int, len, list, str};
use crate::python::fastapi::{Depends, Query};
use crate::python::sqlalchemy::{AsyncSession, Select, Uuid, literal, tuple_};
use crate::python::standard::{
    Annotated, Generic, TypeVar, UTC, UUID, dataclass, datetime, hmac, timedelta,
};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.pagination": DEFAULT_LIMIT, MAX_LIMIT, MAX_CURSOR_LENGTH, EPOCH, MICROSECOND, RowT,
        Position, PageRequest, Slice, get_page_request, PageRequestDep, fetch_page, issue_cursor,
        read_cursor;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.pagination")
        .docstring("Lists in pages: newest first, continued by a signed cursor, never counted.")
        .body(block![
            assign(DEFAULT_LIMIT, 50),
            assign(MAX_LIMIT, 100),
            assign(MAX_CURSOR_LENGTH, 200),
            assign(EPOCH, py!(datetime(1970, 1, 1, tzinfo = UTC))),
            assign(MICROSECOND, py!(timedelta(microseconds = 1))),
            assign(RowT, py!(TypeVar("RowT", bound = Record))).paragraph(),
            position_class(),
            page_request_class(),
            slice_class(),
            get_page_request_def(),
            assign(PageRequestDep, py!(Annotated[(PageRequest, Depends(get_page_request))])),
            fetch_page_def(),
            issue_cursor_def(),
            read_cursor_def()
        ])
}

fn position_class() -> ClassDef {
    names!(created_at, id);
    class(Position).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The place of a row in a list."),
        annotate(created_at, datetime),
        annotate(id, UUID)
    ])
}

fn page_request_class() -> ClassDef {
    names!(limit, after, signer);
    class(PageRequest).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("Which part of a list is asked for."),
        annotate(limit, int),
        annotate(after, py!(Position | None)),
        annotate(signer, Signer)
    ])
}

fn slice_class() -> ClassDef {
    names!(items, next_cursor);
    class(Slice).decorator(py!(dataclass(frozen = true))).base(py!(Generic[RowT])).body(block![
        docstring("A part of a list, and the cursor of the next one if there is more."),
        annotate(items, py!(list[RowT])),
        annotate(next_cursor, py!(str | None))
    ])
}

fn get_page_request_def() -> FunctionDef {
    names!(signer, limit, cursor, after);
    def(get_page_request)
        .params([
            param(signer, SignerDep),
            param(limit, py!(Annotated[(int, Query(ge = 1, le = MAX_LIMIT))]))
                .default(DEFAULT_LIMIT),
            param(cursor, py!(Annotated[(str | None, Query(max_length = MAX_CURSOR_LENGTH))]))
                .default(none()),
        ])
        .returns(PageRequest)
        .body(block![
            docstring("Read the page from the query, or answer 404 for a cursor we did not issue."),
            assign(after, py!(if cursor == None { None } else { read_cursor(signer, cursor) })),
            return_(py!(PageRequest(limit, after, signer)))
        ])
}

fn fetch_page_def() -> FunctionDef {
    names!(session, statement, model, page, newest_first, rows, items, more);
    async_def(fetch_page)
        .params([
            param(session, AsyncSession),
            param(statement, py!(Select[RowT])),
            param(model, py!(TYPE[RowT])),
            param(page, PageRequest),
        ])
        .returns(py!(Slice[RowT]))
        .body(block![
            docstring("Load a page of a statement that selects the rows of a model."),
            assign(newest_first, py!(statement.order_by(model.created_at.desc(), model.id.desc()))),
            if_(
                py!(page.after != None),
                [assign(
                    newest_first,
                    py!(newest_first.r#where(
                        tuple_(model.created_at, model.id)
                            < tuple_(
                                literal(page.after.created_at, UTCDateTime),
                                literal(page.after.id, Uuid)
                            )
                    ))
                )]
            ),
            assign(rows, py!(list(session.scalars(newest_first.limit(page.limit + 1)).await))),
            assign(items, py!(rows[..page.limit])),
            assign(more, py!(len(rows) > page.limit)),
            return_(py!(Slice(
                items,
                if more { issue_cursor(page.signer, items[-1]) } else { None }
            )))
        ])
}

fn issue_cursor_def() -> FunctionDef {
    names!(signer, row, microseconds, place);
    def(issue_cursor).params([param(signer, Signer), param(row, Record)]).returns(str).body(block![
        docstring("Name the place of a row, with a proof that we named it."),
        assign(microseconds, py!(floor_div!(row.created_at - EPOCH, MICROSECOND))),
        assign(place, py!(f!("{}.{}", microseconds, row.id.hex))),
        return_(py!(f!("{}.{}", place, signer.digest(Purpose.CURSOR, place))))
    ])
}

fn read_cursor_def() -> FunctionDef {
    names!(signer, cursor, place, proof, expected, microseconds, row_id);
    let is_ours =
        py!(generator!(hmac.compare_digest(proof.encode(), one.encode()) for one in expected));
    def(read_cursor).params([param(signer, Signer), param(cursor, str)]).returns(Position).body(
        block![
            docstring("Return the place that a cursor names."),
            assign(py!((place, _, proof)), py!(cursor.rpartition("."))),
            assign(expected, py!(signer.digests(Purpose.CURSOR, place))),
            if_(
                py!(!any(is_ours)),
                [raise(py!(NotFoundError("There is no such cursor.", code = "unknown_cursor")))]
            ),
            assign(py!((microseconds, _, row_id)), py!(place.partition("."))),
            return_(py!(Position(EPOCH + int(microseconds) * MICROSECOND, UUID(row_id))))
        ],
    )
}
