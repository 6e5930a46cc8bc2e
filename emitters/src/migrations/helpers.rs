//! Functions that revisions bring along: a revision that ran must not change with a module that it imports.

use crate::python::builtins::{RuntimeError, str};
use crate::python::sqlalchemy::{op, sa};
use crate::python::standard::{Iterator, contextmanager};
use astgen_pyast::prelude::*;

macro_rules! helpers {
    ($($id:ident),* $(,)?) => {
        $(
            #[doc = concat!("`", stringify!($id), "`")]
            #[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
            pub const $id: Name = name(stringify!($id));
        )*
    };
}

helpers! { stop_until_reviewed, fill, require, every_tenant, isolate_tenants, expose_tenants }

/// Stops a revision that loses data.
#[must_use]
pub fn stop_until_reviewed_def() -> FunctionDef {
    names!(IS_REVIEWED, LOSSES, revision, lost);
    def(stop_until_reviewed).returns(none()).body(block![
        docstring("Stop, unless somebody has read what is lost and said so."),
        if_(
            py!(!IS_REVIEWED),
            block![
                assign(lost, py!("; ".join(LOSSES))),
                raise(py!(RuntimeError(f!(
                    "Revision {} loses data: {}. Read it and set IS_REVIEWED in it.",
                    revision,
                    lost
                ))))
            ]
        )
    ])
}

/// Gives a value to rows without one.
#[must_use]
pub fn fill_def() -> FunctionDef {
    names!(table, column, value, rows);
    def(fill)
        .params([param(table, str), param(column, str), param(value, py!(sa.ColumnElement))])
        .returns(none())
        .body(block![
            docstring("Give a value to the rows without one."),
            assign(rows, py!(sa.table(table, sa.column(column)))),
            do_(py!(op.execute(
                sa.update(rows).r#where(rows.c[column].is_(None)).values(dict!(column => value))
            )))
        ])
}

/// Stops where a row has no value and nothing says which it should be.
#[must_use]
pub fn require_def() -> FunctionDef {
    names!(table, column, rows, has_gap, gap, revision);
    def(require).params([param(table, str), param(column, str)]).returns(none()).body(block![
        docstring("Stop if a row has no value. Only you know it: put an UPDATE before the call."),
        if_(py!(op.get_context().as_sql), [return_none()]),
        assign(rows, py!(sa.table(table, sa.column(column)))),
        assign(
            has_gap,
            py!(sa.select(
                sa.exists(sa.literal(1)).select_from(rows).r#where(rows.c[column].is_(None))
            ))
        ),
        if_(
            py!(op.get_bind().scalar(has_gap)),
            block![
                assign(gap, py!(f!("Rows of {} have no {}", table, column))),
                raise(py!(RuntimeError(f!("{}: fill it in revision {}.", gap, revision))))
            ]
        )
    ])
}

/// Shows the owner of a table the rows of all tenants.
#[must_use]
pub fn every_tenant_def() -> FunctionDef {
    names!(table, is_walled);
    let alter = |words: &str| {
        let words = format!("{words} ROW LEVEL SECURITY");
        let statement =
            f_string([string("ALTER TABLE "), formatted(table), string(format!(" {words}"))]);
        if_(is_walled, [do_(py!(op.execute(statement)))])
    };
    def(every_tenant)
        .decorator(contextmanager)
        .params([param(table, str)])
        .returns(py!(Iterator[None]))
        .body(block![
            docstring(
                "Show the rows of all tenants to the owner of a table, who is walled off too."
            ),
            assign(is_walled, py!(op.get_context().dialect.name == "postgresql")),
            alter("NO FORCE"),
            do_(yield_(None)),
            alter("FORCE")
        ])
}

/// Walls the tenants of a table off from each other.
#[must_use]
pub fn isolate_tenants_def() -> FunctionDef {
    names!(table, announced, rule);
    def(isolate_tenants).params([param(table, str)]).returns(none()).body(block![
        docstring("Show and take only rows of the tenant that the transaction has announced."),
        assign(announced, "nullif(current_setting('app.tenant_id', true), '')::uuid"),
        assign(rule, py!(f!("organization_id = {}", announced))),
        do_(py!(op.execute(f!("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", table)))),
        do_(py!(op.execute(f!("ALTER TABLE {} FORCE ROW LEVEL SECURITY", table)))),
        do_(py!(op.execute(f!(
            "CREATE POLICY tenant_isolation ON {} USING ({}) WITH CHECK ({})",
            table,
            rule,
            rule
        ))))
    ])
}

/// Takes the wall between the tenants of a table away.
#[must_use]
pub fn expose_tenants_def() -> FunctionDef {
    names!(table);
    def(expose_tenants).params([param(table, str)]).returns(none()).body(block![
        docstring("Leave the rows of all tenants to the filter of the application."),
        do_(py!(op.execute(f!("DROP POLICY tenant_isolation ON {}", table)))),
        do_(py!(op.execute(f!("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY", table)))),
        do_(py!(op.execute(f!("ALTER TABLE {} DISABLE ROW LEVEL SECURITY", table))))
    ])
}
