//! `backend/app/core/order.py`: the order of a list, and what comes after a place in it.

use crate::models::base::Entry;
use crate::python::builtins::{TYPE, bool, getattr, list, object, str};
use crate::python::sqlalchemy::{ColumnElement, Uuid, and_, literal, or_, tuple_};
use crate::python::standard::{Any, UUID};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.order": NEWEST_FIRST, Order;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.order")
        .docstring("The order of a list, and what comes after a place in it.")
        .body(block![assign(NEWEST_FIRST, "-created_at"), order_class()])
}

fn order_class() -> ClassDef {
    class(Order).body(block![
        docstring("By a column, then by the key; null counts as the greatest value."),
        init_def(),
        clauses_def(),
        after_def(),
        after_null_def()
    ])
}

fn init_def() -> FunctionDef {
    names!(model, sort);
    def("__init__")
        .params([untyped("self"), param(model, py!(TYPE[Entry])), param(sort, str)])
        .returns(none())
        .body(block![
            docstring("Read the name of a column, with `-` before it for the reverse order."),
            assign(py!(self.label), py!(f!("{}/{}", model.__name__, sort))),
            assign(py!(self.name), py!(sort.removeprefix("-"))),
            ann_assign(py!(self.column), Any, py!(getattr(model, self.name))),
            assign(py!(self.key), py!(model.id)),
            assign(py!(self.is_reversed), py!(sort.startswith("-"))),
            ann_assign(py!(self.has_nulls), bool, py!(self.column.expression.nullable))
        ])
}

fn clauses_def() -> FunctionDef {
    names!(column, key);
    def("clauses").params([untyped("self")]).returns(py!(list[ColumnElement[Any]])).body(block![
        docstring("Return what a statement is ordered by."),
        if_(
            py!(self.is_reversed),
            block![
                assign(py!((column, key)), py!((self.column.desc(), self.key.desc()))),
                return_(py!([if self.has_nulls { column.nulls_first() } else { column }, key]))
            ]
        ),
        assign(py!((column, key)), py!((self.column.asc(), self.key.asc()))),
        return_(py!([if self.has_nulls { column.nulls_last() } else { column }, key]))
    ])
}

fn after_def() -> FunctionDef {
    names!(value, row_id, place, here);
    def("after")
        .params([untyped("self"), param(value, object), param(row_id, UUID)])
        .returns(py!(ColumnElement[bool]))
        .body(block![
            docstring("Select what comes after the row with this value and this key."),
            if_(py!(value == None), [return_(py!(self.after_null(row_id)))]),
            assign(place, py!(tuple_(self.column, self.key))),
            assign(here, py!(tuple_(literal(value, self.column.r#type), literal(row_id, Uuid)))),
            if_(py!(self.is_reversed), [return_(py!(place < here))]),
            if_(py!(self.has_nulls), [return_(py!(or_(place > here, self.column.is_(None))))]),
            return_(py!(place > here))
        ])
}

fn after_null_def() -> FunctionDef {
    names!(row_id, is_null);
    def("after_null")
        .params([untyped("self"), param(row_id, UUID)])
        .returns(py!(ColumnElement[bool]))
        .body(block![
            docstring("Select what comes after a row without a value."),
            assign(is_null, py!(self.column.is_(None))),
            if_(
                py!(self.is_reversed),
                [return_(py!(or_(and_(is_null, self.key < row_id), self.column.is_not(None))))]
            ),
            return_(py!(and_(is_null, self.key > row_id)))
        ])
}
