//! Functions that revisions bring along: a revision that ran must not change with a module that it imports.

use super::sql::identifier;
use super::table::Table;
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

helpers! { stop_until_reviewed, fill, require, every_tenant, isolate_tenants, isolate_entries,
expose_tenants, keep_entries }

/// The call that walls the tenants of a table off from each other.
#[must_use]
pub fn isolation(table: &Table) -> Stmt {
    let name = identifier(table.name.as_str());
    match table.is_final {
        true => do_(py!(isolate_entries(name))),
        false => do_(py!(isolate_tenants(name))),
    }
}

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

/// Lets entries be read by their tenant only, and be added by whoever has something to tell.
#[must_use]
pub fn isolate_entries_def() -> FunctionDef {
    names!(table, announced, rule);
    def(isolate_entries).params([param(table, str)]).returns(none()).body(block![
        docstring("Show only entries of the tenant that the transaction has announced; take all."),
        assign(announced, "nullif(current_setting('app.tenant_id', true), '')::uuid"),
        assign(rule, py!(f!("organization_id = {}", announced))),
        do_(py!(op.execute(f!("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", table)))),
        do_(py!(op.execute(f!("ALTER TABLE {} FORCE ROW LEVEL SECURITY", table)))),
        do_(py!(op.execute(f!(
            "CREATE POLICY tenant_isolation ON {} FOR SELECT USING ({})",
            table,
            rule
        )))),
        do_(py!(op.execute(f!("CREATE POLICY entries ON {} FOR INSERT WITH CHECK (true)", table))))
    ])
}

/// Lets nobody change entries, or remove them while their organization is there.
#[must_use]
pub fn keep_entries_def() -> FunctionDef {
    names!(table, is_owned, refuse, body);
    def(keep_entries).params([param(table, str)]).returns(none()).body(block![
        docstring("Refuse to change entries, and to remove them while their organization is there."),
        assign(
            is_owned,
            "EXISTS (SELECT 1 FROM organizations WHERE id = OLD.organization_id)"
        ),
        if_(
            py!(op.get_context().dialect.name == "sqlite"),
            block![
                assign(refuse, "BEGIN SELECT RAISE(ABORT, 'entries are final'); END"),
                do_(py!(op.execute(f!(
                    "CREATE TRIGGER IF NOT EXISTS {}_no_update BEFORE UPDATE ON {} {}",
                    table,
                    table,
                    refuse
                )))),
                do_(py!(op.execute(f!(
                    "CREATE TRIGGER IF NOT EXISTS {}_no_delete BEFORE DELETE ON {} WHEN {} {}",
                    table,
                    table,
                    is_owned,
                    refuse
                )))),
                return_none()
            ]
        ),
        assign(
            body,
            py!(f!("IF TG_OP = 'DELETE' AND NOT {} THEN RETURN OLD; END IF;", is_owned))
        ),
        do_(py!(op.execute(f!(
            "CREATE OR REPLACE FUNCTION {}_are_final() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} \
             RAISE EXCEPTION 'entries are final'; END $$",
            table,
            body
        )))),
        do_(py!(op.execute(f!(
            "CREATE OR REPLACE TRIGGER {}_are_final BEFORE UPDATE OR DELETE ON {} FOR EACH ROW \
             EXECUTE FUNCTION {}_are_final()",
            table,
            table,
            table
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
        do_(py!(op.execute(f!("DROP POLICY IF EXISTS entries ON {}", table)))),
        do_(py!(op.execute(f!("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY", table)))),
        do_(py!(op.execute(f!("ALTER TABLE {} DISABLE ROW LEVEL SECURITY", table))))
    ])
}
