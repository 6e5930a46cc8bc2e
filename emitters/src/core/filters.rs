//! `backend/app/core/filters.py`: criteria from the parameters of a query.

use crate::core::pagination::RowT;
use crate::entity_filters::{Filter, filters};
use crate::python::builtins::{bool, object, str};
use crate::python::sqlalchemy::{ColumnElement, InstrumentedAttribute, Select, and_, or_};
use crate::python::standard::Any;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.filters": Criterion, r#where, equals, at_least, at_most, mentions;
}

/// The module; none where no list has parameters.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let all: Vec<Filter<'_>> = spec.entities.iter().flat_map(filters).collect();
    let has_equal = all.iter().any(|filter| matches!(filter, Filter::Equal(_)));
    let has_range = all.iter().any(|filter| matches!(filter, Filter::Range(_)));
    let has_search = spec.entities.iter().any(|entity| !entity.search.is_empty());
    let docstring =
        "Criteria from the parameters of a query; one that is left out asks for nothing.";
    let body = block![
        assign(Criterion, py!(ColumnElement[bool] | None)),
        where_def(),
        has_equal.then(equals_def),
        has_range.then(|| [at_least_def(), at_most_def()]),
        has_search.then(mentions_def)
    ];
    (has_equal || has_range || has_search)
        .then(|| module("app.core.filters").docstring(docstring).body(body))
}

fn where_def() -> FunctionDef {
    names!(statement, criteria, each);
    let asked = py!(generator!(each for each in criteria if each != None));
    def(r#where)
        .params([param(statement, py!(Select[RowT])), varargs(criteria, Criterion)])
        .returns(py!(Select[RowT]))
        .body(block![
            docstring("Add the criteria that were asked for."),
            return_(py!(statement.r#where(*{ asked })))
        ])
}

/// `def equals(column, value) -> Criterion: …`
fn comparison(name: Import, doc: &str, criterion: Expr) -> FunctionDef {
    names!(column, value);
    def(name)
        .params([param(column, py!(InstrumentedAttribute[Any])), param(value, object)])
        .returns(Criterion)
        .body(block![docstring(doc), return_(py!(if value == None { None } else { criterion }))])
}

fn equals_def() -> FunctionDef {
    names!(column, value);
    comparison(equals, "Select the rows with a value.", py!(column == value))
}

fn at_least_def() -> FunctionDef {
    names!(column, value);
    comparison(at_least, "Select the rows with a value or a greater one.", py!(column >= value))
}

fn at_most_def() -> FunctionDef {
    names!(column, value);
    comparison(at_most, "Select the rows with a value or a lesser one.", py!(column <= value))
}

fn mentions_def() -> FunctionDef {
    names!(text, columns, words, word, column);
    let in_any = py!(generator!(column.icontains(word, autoescape = true) for column in columns));
    let each = py!(generator!(or_(*{ in_any }) for word in words));
    def(mentions)
        .params([param(text, py!(str | None)), varargs(columns, py!(InstrumentedAttribute[Any]))])
        .returns(Criterion)
        .body(block![
            docstring("Select the rows in which every word of a text occurs, whatever its case."),
            assign(words, py!((text || "").split())),
            return_(py!(if words { and_(*{ each }) } else { None }))
        ])
}
