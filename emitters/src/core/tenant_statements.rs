//! `backend/app/core/tenant_statements.py`: what a statement names, and whether a criterion of the tenant reaches all of it.

use crate::models::base::{Base, TenantScoped};
use crate::python::builtins::{
    RuntimeError, any, bool, filter, frozenset, isinstance, issubclass, len, list, map, object,
    set, str,
};
use crate::python::sqlalchemy::{
    Alias, AliasedReturnsRows, Annotated, ClauseElement, Column, ColumnClause, ColumnElement,
    Delete, Executable, ExternallyTraversible, ORMExecuteState, Select, SelectBase, TextClause,
    Update, UpdateBase,
};
use crate::python::standard::{Any, Iterator, cache};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.tenant_statements": TENANT, TenancyError, tenant_tables, names_tenant_table,
        guard_parts, guard_tables, mapped_tables, surface, is_mapped, guard_write,
        guard_tenant_write, sets_tenant, elements, is_raw, source_of, is_of_tenant;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.tenant_statements")
        .docstring(
            "What a statement names, and whether a criterion of the tenant reaches all of it.",
        )
        .body(block![
            assign(TENANT, "organization_id"),
            tenancy_error_class(),
            tenant_tables_def(),
            names_tenant_table_def(),
            guard_parts_def(),
            guard_tables_def(),
            mapped_tables_def(),
            surface_def(),
            is_mapped_def(),
            guard_write_def(),
            guard_tenant_write_def(),
            sets_tenant_def(),
            elements_def(),
            is_raw_def(),
            source_of_def(),
            is_of_tenant_def()
        ])
}

/// `raise TenancyError(reason)`
#[must_use]
pub fn raise_tenancy_error(reason: &'static str) -> Stmt {
    raise(py!(TenancyError(reason)))
}

fn tenancy_error_class() -> ClassDef {
    class(TenancyError)
        .base(RuntimeError)
        .body(block![docstring("The code tried to cross the border between two tenants.")])
}

fn tenant_tables_def() -> FunctionDef {
    let tables = py!(generator!(
        mapper.local_table for mapper in Base.registry.mappers
        if issubclass(mapper.class_, TenantScoped)
    ));
    def(tenant_tables).decorator(cache).returns(py!(frozenset[object])).body(block![
        docstring("Return the tables whose rows belong to a tenant."),
        return_(py!(frozenset(tables)))
    ])
}

fn names_tenant_table_def() -> FunctionDef {
    names!(statement);
    let found = py!(generator!(is_of_tenant(element) for element in elements(statement)));
    def(names_tenant_table).params([param(statement, Executable)]).returns(bool).body(block![
        docstring("Tell whether a statement names a table whose rows belong to a tenant."),
        return_(py!(any(found)))
    ])
}

fn guard_parts_def() -> FunctionDef {
    names!(statement, queries, query, parts, part);
    def(guard_parts).params([param(statement, Executable)]).returns(none()).body(block![
        docstring(
            "Refuse the parts of a statement that no criterion reaches.\n\
             \n\
             SQLAlchemy adds criteria to models. Raw SQL, tables that are named without their\n\
             model, and writes within another statement would stay as they are."
        ),
        ann_assign(queries, py!(list[object]), py!([statement])),
        while_(
            queries,
            block![
                assign(query, py!(queries.pop())),
                assign(parts, py!(list(elements(query, into_queries = false)))),
                for_(
                    part,
                    parts,
                    block![
                        if_(
                            py!(is_raw(part)),
                            raise_tenancy_error("SQL as text cannot be filtered by tenant")
                        ),
                        if_(py!(is_!(part, query)), [continue_()]),
                        if_(
                            py!(isinstance(part, UpdateBase)),
                            raise_tenancy_error("A write within a statement cannot be filtered")
                        ),
                        if_(py!(isinstance(part, SelectBase)), [do_(py!(queries.append(part)))])
                    ]
                ),
                if_(
                    py!(isinstance(query, SelectBase | UpdateBase)),
                    [do_(py!(guard_tables(query, parts)))]
                )
            ]
        )
    ])
}

fn guard_tables_def() -> FunctionDef {
    names!(query, parts, bare, part);
    let is_bare = py!(!is_mapped(part) && is_of_tenant(part));
    def(guard_tables)
        .params([
            param(query, py!(SelectBase | UpdateBase)),
            param(parts, py!(list[ExternallyTraversible])),
        ])
        .returns(none())
        .body(block![
            docstring("Refuse the tables that a query, or a write, names without their model."),
            assign(bare, py!(set!(source_of(part) for part in parts if { is_bare }))),
            if_(
                py!(bare && !(bare <= mapped_tables(query, parts))),
                raise_tenancy_error("A table without its model cannot be filtered by tenant")
            )
        ])
}

fn mapped_tables_def() -> FunctionDef {
    names!(query, parts, part, mapped, column, sources, shown);
    let is_table = py!(is_mapped(part) && !isinstance(part, Column));
    def(mapped_tables)
        .params([
            param(query, py!(SelectBase | UpdateBase)),
            param(parts, py!(list[ExternallyTraversible])),
        ])
        .returns(py!(set[object]))
        .body(block![
            docstring(
                "Find the tables and aliases in a query to whose models criteria are added.\n\
                 \n\
                 SQLAlchemy looks for models in FROM, for one in each column, and on the surface of\n\
                 WHERE: a model that only sorts or groups the rows of its table adds nothing."
            ),
            ann_assign(
                mapped,
                py!(set[object]),
                py!(set!(part for part in parts if { is_table }))
            ),
            if_(py!(!isinstance(query, Select)), [return_(mapped)]),
            for_(
                column,
                py!(query.inner_columns),
                block![
                    assign(
                        sources,
                        py!(set!(
                            source_of(part) for part in elements(column, into_queries = false)
                            if is_mapped(part)
                        ))
                    ),
                    if_(py!(len(sources) == 1), [do_(py!(mapped.update(sources)))])
                ]
            ),
            if_(
                py!(query.whereclause != None),
                block![
                    assign(shown, py!(filter(is_mapped, surface(query.whereclause)))),
                    do_(py!(mapped.update(map(source_of, shown))))
                ]
            ),
            return_(mapped)
        ])
}

fn surface_def() -> FunctionDef {
    names!(clause, remaining, element);
    def(surface)
        .params([param(clause, py!(ColumnElement[Any]))])
        .returns(py!(Iterator[ExternallyTraversible]))
        .body(block![
            docstring("Walk through the expressions of a clause, but into no list and no query."),
            ann_assign(remaining, py!(list[ExternallyTraversible]), py!([clause])),
            while_(
                remaining,
                block![
                    assign(element, py!(remaining.pop())),
                    do_(py!(yield_!(element))),
                    if_(
                        py!(isinstance(element, ColumnElement)),
                        [do_(py!(remaining.extend(element.get_children())))]
                    )
                ]
            )
        ])
}

fn is_mapped_def() -> FunctionDef {
    names!(element);
    def(is_mapped).params([param(element, object)]).returns(bool).body(block![
        docstring("Tell whether an element was named by its model."),
        return_(py!(isinstance(element, Annotated)))
    ])
}

fn guard_write_def() -> FunctionDef {
    names!(state, statement, element);
    let is_foreign = py!(is_of_tenant(element) && source_of(element) != statement.table);
    def(guard_write).params([param(state, ORMExecuteState)]).returns(none()).body(block![
        docstring("Refuse the writes that no criterion can hold to one tenant."),
        assign(statement, py!(state.statement)),
        if_(
            py!(state.is_insert && names_tenant_table(statement)),
            raise_tenancy_error("Add tenant rows to the session instead of inserting them")
        ),
        if_(py!(!isinstance(statement, Update | Delete)), [return_none()]),
        if_(
            py!(state.execution_options.get("dml_strategy", "orm") != "orm"),
            raise_tenancy_error("A write past the ORM cannot be filtered by tenant")
        ),
        for_(
            element,
            py!(elements(statement, into_queries = false)),
            if_(
                is_foreign,
                raise_tenancy_error("Name the rows of another table in a query of its own")
            )
        ),
        if_(py!(in_!(statement.table, tenant_tables())), [do_(py!(guard_tenant_write(state)))])
    ])
}

fn guard_tenant_write_def() -> FunctionDef {
    names!(state);
    def(guard_tenant_write).params([param(state, ORMExecuteState)]).returns(none()).body(block![
        docstring("Refuse to change rows by their keys, and to move them to another tenant."),
        if_(
            py!(state.is_executemany),
            raise_tenancy_error("Rows of a tenant cannot be changed by a list of keys")
        ),
        if_(
            py!(sets_tenant(state)),
            raise_tenancy_error("A row cannot be moved to another tenant")
        )
    ])
}

fn sets_tenant_def() -> FunctionDef {
    names!(state, compiled);
    def(sets_tenant).params([param(state, ORMExecuteState)]).returns(bool).body(block![
        docstring("Tell whether an UPDATE gives rows to a tenant."),
        if_(py!(!isinstance(state.statement, Update)), [return_(false)]),
        assign(compiled, py!(state.statement.compile(dialect = state.session.get_bind().dialect))),
        return_(py!(in_!(f!("{}=", TENANT), str(compiled))))
            .comment("SQLAlchemy writes `a=b` in SET and `a = b` in every comparison.")
    ])
}

fn elements_def() -> FunctionDef {
    names!(statement, into_queries, remaining, element);
    let goes_on = py!(!isinstance(element, Alias)
        && (into_queries || is_!(element, statement) || !isinstance(element, SelectBase)));
    def(elements)
        .params([param(statement, object), star(), param(into_queries, bool).default(true)])
        .returns(py!(Iterator[ExternallyTraversible]))
        .body(block![
            docstring(
                "Walk through a statement, and through the queries in it unless told not to."
            ),
            ann_assign(remaining, py!(list[ExternallyTraversible]), py!([])),
            if_(py!(isinstance(statement, ClauseElement)), [do_(py!(remaining.append(statement)))]),
            while_(
                remaining,
                block![
                    assign(element, py!(remaining.pop())),
                    do_(py!(yield_!(element))),
                    if_(goes_on, [do_(py!(remaining.extend(element.get_children())))])
                        .comment("What an alias stands for is named by the alias.")
                ]
            )
        ])
}

fn is_raw_def() -> FunctionDef {
    names!(element);
    def(is_raw).params([param(element, object)]).returns(bool).body(block![
        docstring("Tell whether an element is SQL as text; the `*` of a count is not."),
        if_(
            py!(isinstance(element, ColumnClause)),
            [return_(py!(element.is_literal && element.name != "*"))]
        ),
        return_(py!(isinstance(element, TextClause)))
    ])
}

fn source_of_def() -> FunctionDef {
    names!(element);
    def(source_of).params([param(element, object)]).returns(object).body(block![
        docstring("Return the table or alias that an element is, or that it is a column of."),
        return_(py!(if isinstance(element, Column) { element.table } else { element }))
    ])
}

fn is_of_tenant_def() -> FunctionDef {
    names!(element, source);
    def(is_of_tenant).params([param(element, object)]).returns(bool).body(block![
        docstring("Tell whether an element is, or belongs to, a table of tenants or its alias."),
        assign(source, py!(source_of(element))),
        if_(
            py!(isinstance(source, AliasedReturnsRows)),
            [return_(py!(in_!(source.element, tenant_tables())))]
        ),
        return_(py!(in_!(source, tenant_tables())))
    ])
}
