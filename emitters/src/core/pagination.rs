//! `backend/app/core/pagination.py`: lists in pages: in a stable order, continued by a signed cursor.

use crate::core::errors::NotFoundError;
use crate::core::order::{NEWEST_FIRST, Order};
use crate::core::security::{Purpose, Signer, SignerDep};
use crate::models::base::Entry;
use crate::python::builtins::{
    TYPE, ValueError, any, bool, getattr, int, len, list, object, str, tuple,
};
use crate::python::fastapi::{Depends, Query};
use crate::python::pydantic::{BeforeValidator, TypeAdapter, from_json, to_json};
use crate::python::sqlalchemy::{AsyncSession, Select, func, select};
use crate::python::standard::{
    Annotated, Any, Generic, TypeVar, UUID, cache, dataclass, hmac, urlsafe_b64decode,
    urlsafe_b64encode,
};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.pagination": DEFAULT_LIMIT, MAX_LIMIT, MAX_CURSOR_LENGTH, RowT, PageRequest, Slice,
        boolean_of_text, QueryBoolean, get_page_request, PageRequestDep, fetch_page, count_rows, issue_cursor, read_cursor, reader_of;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.pagination")
        .docstring(
            "Lists in pages: in a stable order, continued by a signed cursor.\n\
             \n\
             They are counted for who asks: it costs as much as the whole list.",
        )
        .body(block![
            assign(DEFAULT_LIMIT, 50),
            assign(MAX_LIMIT, 100),
            assign(MAX_CURSOR_LENGTH, 4000),
            assign(RowT, py!(TypeVar("RowT", bound = Entry))).paragraph(),
            page_request_class(),
            slice_class(),
            boolean_of_text_def(),
            assign(QueryBoolean, py!(Annotated[(bool, BeforeValidator(boolean_of_text))])),
            get_page_request_def(),
            assign(PageRequestDep, py!(Annotated[(PageRequest, Depends(get_page_request))])),
            fetch_page_def(),
            count_rows_def(),
            issue_cursor_def(),
            read_cursor_def(),
            reader_of_def()
        ])
}

fn page_request_class() -> ClassDef {
    names!(limit, cursor, signer, is_counted);
    class(PageRequest).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("Which part of a list is asked for."),
        annotate(limit, int),
        annotate(cursor, py!(str | None)),
        annotate(signer, Signer),
        annotate(is_counted, bool)
    ])
}

fn slice_class() -> ClassDef {
    names!(items, next_cursor, total);
    class(Slice).decorator(py!(dataclass(frozen = true))).base(py!(Generic[RowT])).body(block![
        docstring("A part of a list, and the cursor of the next one if there is more."),
        annotate(items, py!(list[RowT])),
        annotate(next_cursor, py!(str | None)),
        annotate(total, py!(int | None))
    ])
}

fn boolean_of_text_def() -> FunctionDef {
    names!(value);
    def(boolean_of_text).params([param(value, object)]).returns(object).body(block![
        docstring("Accept two words in a query: Pydantic would take a dozen more."),
        if_(py!(in_!(value, ("true", "false"))), [return_(py!(value == "true"))]),
        raise(py!(ValueError("a boolean is written as true or false")))
    ])
}

fn get_page_request_def() -> FunctionDef {
    names!(signer, limit, cursor, include_total);
    let description = "Whether to count what the whole list has, which takes longer.";
    def(get_page_request)
        .params([
            param(signer, SignerDep),
            param(limit, py!(Annotated[(int, Query(ge = 1, le = MAX_LIMIT))]))
                .default(DEFAULT_LIMIT),
            param(cursor, py!(Annotated[(str | None, Query(max_length = MAX_CURSOR_LENGTH))]))
                .default(none()),
            star(),
            param(include_total, py!(Annotated[(QueryBoolean, Query(description = description))]))
                .default(false),
        ])
        .returns(PageRequest)
        .body(block![
            docstring("Read the page from the query."),
            return_(py!(PageRequest(limit, cursor, signer, is_counted = include_total)))
        ])
}

fn fetch_page_def() -> FunctionDef {
    names!(session, statement, model, page, sort, order, ordered, value, row_id);
    names!(rows, items, last, next_cursor, total);
    async_def(fetch_page)
        .params([
            param(session, AsyncSession),
            param(statement, py!(Select[RowT])),
            param(model, py!(TYPE[RowT])),
            param(page, PageRequest),
            param(sort, str).default(NEWEST_FIRST),
        ])
        .returns(py!(Slice[RowT]))
        .body(block![
            docstring("Load a page of a statement that selects the rows of a model."),
            assign(
                total,
                py!(if page.is_counted { count_rows(session, statement).await } else { None })
            ),
            assign(order, py!(Order(model, sort))),
            assign(ordered, py!(statement.order_by(*order.clauses()))),
            if_(
                py!(page.cursor != None),
                block![
                    assign(py!((value, row_id)), py!(read_cursor(page.signer, page.cursor, order))),
                    assign(ordered, py!(ordered.r#where(order.after(value, row_id))))
                ]
            ),
            assign(rows, py!(list(session.scalars(ordered.limit(page.limit + 1)).await))),
            assign(items, py!(rows[..page.limit])),
            if_(py!(len(rows) == len(items)), [return_(py!(Slice(items, None, total)))]),
            assign(last, py!(items[-1])),
            assign(value, py!(getattr(last, order.name))),
            assign(next_cursor, py!(issue_cursor(page.signer, order, value, last.id))),
            return_(py!(Slice(items, next_cursor, total)))
        ])
}

fn count_rows_def() -> FunctionDef {
    names!(session, statement, rows, counted);
    async_def(count_rows)
        .params([param(session, AsyncSession), param(statement, py!(Select[RowT]))])
        .returns(int)
        .body(block![
            docstring("Count the rows of all pages."),
            assign(rows, py!(statement.order_by(None).subquery())),
            assign(counted, py!(select(func.count()).select_from(rows))),
            assign(counted, py!(counted.execution_options(**statement.get_execution_options()))),
            return_(py!(session.scalar(counted).await || 0))
        ])
}

fn issue_cursor_def() -> FunctionDef {
    names!(signer, order, value, row_id, place);
    def(issue_cursor)
        .params([
            param(signer, Signer),
            param(order, Order),
            param(value, object),
            param(row_id, UUID),
        ])
        .returns(str)
        .body(block![
            docstring("Name a place in a list, with a proof that we named it."),
            assign(place, py!(urlsafe_b64encode(to_json((order.label, value, row_id))).decode())),
            return_(py!(f!("{}.{}", place, signer.digest(Purpose.CURSOR, place))))
        ])
}

fn read_cursor_def() -> FunctionDef {
    names!(signer, cursor, order, place, proof, expected, label, value, row_id, kind);
    let is_ours =
        py!(generator!(hmac.compare_digest(proof.encode(), one.encode()) for one in expected));
    let unknown = |detail: &str| raise(py!(NotFoundError(detail, code = "unknown_cursor")));
    def(read_cursor)
        .params([param(signer, Signer), param(cursor, str), param(order, Order)])
        .returns(py!(tuple[(object, UUID)]))
        .body(block![
            docstring("Return the place that a cursor names, or answer 404 for another list's."),
            assign(py!((place, _, proof)), py!(cursor.rpartition("."))),
            assign(expected, py!(signer.digests(Purpose.CURSOR, place))),
            if_(py!(!any(is_ours)), [unknown("There is no such cursor.")]),
            assign(py!((label, value, row_id)), py!(from_json(urlsafe_b64decode(place)))),
            if_(py!(label != order.label), [unknown("The cursor is of another list.")]),
            if_(
                py!(value != None),
                block![
                    assign(kind, py!(order.column.r#type.python_type)),
                    assign(value, py!(reader_of(kind).validate_python(value)))
                ]
            ),
            return_(py!((value, UUID(row_id))))
        ])
}

fn reader_of_def() -> FunctionDef {
    names!(kind);
    def(reader_of)
        .decorator(cache)
        .params([param(kind, py!(TYPE[Any]))])
        .returns(py!(TypeAdapter[Any]))
        .body(block![
            docstring("Return what reads a value from a cursor."),
            return_(py!(TypeAdapter(kind)))
        ])
}
