//! `backend/tests/test_tenant_statements.py`: the statements that no criterion reaches.

use crate::models::package::{Membership, Organization};
use crate::python::builtins::list;
use crate::python::sqlalchemy::{
    Executable, String, aliased, delete, exists, func, insert, literal_column, select, text,
    r#true, union_all, update,
};
use crate::spec::Spec;
use crate::tests::border::{border, border_test, on_our_side, refused};
use crate::tests::subject::{Subject, subject};
use astgen_pyast::prelude::*;

/// The module; none where no entity is plain enough to be made without others.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let subject = &subject(spec)?;
    let docstring = "The statements that no criterion reaches.";
    Some(module("tests.test_tenant_statements").docstring(docstring).body(block![
        test_statements_without_a_model_are_refused(subject),
        test_tables_without_their_model_are_refused(subject),
        test_writes_that_cannot_be_held_to_a_tenant_are_refused(subject),
        test_a_strategy_that_is_not_filtered_is_refused(subject),
        test_a_write_within_a_query_is_refused(subject),
        test_a_table_under_its_model_is_filtered(subject),
        test_a_write_can_ask_another_table(subject),
        test_nothing_gets_past_the_session(subject)
    ]))
}

/// `for statement in statements: with pytest.raises(TenancyError): await session.execute(statement)`
fn refuse_each() -> For {
    names!(session, statement, statements);
    for_(statement, statements, refused(py!(session.execute(statement).await)))
}

fn test_statements_without_a_model_are_refused(subject: &Subject<'_>) -> FunctionDef {
    names!(everything, statements);
    let Subject { model, table, .. } = *subject;
    let all_rows = format!("SELECT * FROM {table}");
    let names = format!("(SELECT max(id) FROM {table})");
    border_test("test_statements_without_a_model_are_refused").body(block![
        assign(everything, py!(text(all_rows))),
        ann_assign(
            statements,
            py!(list[Executable]),
            py!([
                everything,
                select(model).from_statement(everything),
                select(model.__table__),
                select(model.id, text({ names.as_str() })),
                select(Organization.id).r#where(text({ format!("{names} IS NOT NULL") })),
                select(Organization.id, literal_column(names, String))
            ])
        ),
        on_our_side(block![refuse_each()])
    ])
}

fn test_tables_without_their_model_are_refused(subject: &Subject<'_>) -> FunctionDef {
    names!(table, twin, statements);
    let Subject { model, words, .. } = *subject;
    border_test("test_tables_without_their_model_are_refused").body(block![
        assign(table, py!(model.__table__)),
        assign(twin, py!(table.alias())),
        ann_assign(
            statements,
            py!(list[Executable]),
            py!([
                select(Organization.id, table.c.id),
                select(model.id, twin.c.id),
                select(Organization.id).join(table, r#true()),
                select(Organization.id).r#where(exists(select(table.c.id))),
                select(func.count(table.c.id)).select_from(Organization),
                select(table.c.id).order_by(model.id),
                select(func.count()).select_from(table).group_by(model.id),
                union_all(select(model.id), select(table.c.id)),
                select(func.count()).r#where(func.lower({ model.attr(words) }) != "x"),
                delete(model.metadata.tables[{ subject.table }]).r#where(model.id.is_not(None))
            ])
        ),
        on_our_side(block![refuse_each()])
    ])
}

fn test_writes_that_cannot_be_held_to_a_tenant_are_refused(subject: &Subject<'_>) -> FunctionDef {
    names!(by_key, row, statements, session);
    let Subject { model, words, .. } = *subject;
    let column = words.as_str();
    let is_their_own = py!(Organization.id == model.organization_id);
    border_test("test_writes_that_cannot_be_held_to_a_tenant_are_refused").body(block![
        assign(by_key, py!(dict!("id" => { subject.theirs() }, column => "stolen"))),
        assign(row, py!(dict!(column => "smuggled", "organization_id" => border.theirs))),
        ann_assign(
            statements,
            py!(list[Executable]),
            py!([
                insert(model).values(row),
                insert(Organization).from_select(["name"], select({ model.attr(words) })),
                update(Organization).r#where(is_their_own).values(name = { model.attr(words) }),
                delete(Membership).r#where(Membership.organization_id == model.organization_id)
            ])
        ),
        on_our_side(block![
            refuse_each(),
            refused(py!(session.execute(update(model), [by_key, by_key]).await)),
            refused(py!(session.execute(insert(model), [row]).await))
        ])
    ])
}

fn test_a_strategy_that_is_not_filtered_is_refused(subject: &Subject<'_>) -> FunctionDef {
    names!(past, change, remove, statements, statement, session);
    let Subject { model, words, .. } = *subject;
    let column = words.as_str();
    border_test("test_a_strategy_that_is_not_filtered_is_refused").body(block![
        assign(past, py!(dict!("dml_strategy" => "core_only", "synchronize_session" => false))),
        assign(change, py!(update(model).values(dict!(column => "stolen")))),
        assign(remove, py!(delete(model))),
        on_our_side(block![for_(
            statement,
            py!((change, remove)),
            block![
                refused(py!(session.execute(statement.execution_options(**past)).await)),
                refused(py!(session.execute(statement, execution_options = past).await))
            ]
        )])
    ])
}

fn test_a_write_within_a_query_is_refused(subject: &Subject<'_>) -> FunctionDef {
    names!(statements);
    let model = subject.model;
    let removed = py!(delete(model).returning(model.id).cte());
    border_test("test_a_write_within_a_query_is_refused").body(block![
        ann_assign(
            statements,
            py!(list[Executable]),
            py!([select({ removed.clone() }.c.id), select(Organization.id).add_cte(removed)])
        ),
        on_our_side(block![refuse_each()])
    ])
}

fn test_a_table_under_its_model_is_filtered(subject: &Subject<'_>) -> FunctionDef {
    names!(table, twin, found, session);
    let model = subject.model;
    border_test("test_a_table_under_its_model_is_filtered").body(block![
        assign(table, py!(model.__table__)),
        assign(twin, py!(aliased(model, table.alias()))),
        on_our_side([
            assign(found, py!(session.execute(select(model.id, table.c.id)).await.all())),
            assert_(py!(found == [({ subject.ours() }, { subject.ours() })])),
            assert_(py!(session.scalars(select(twin.id)).await.all() == [{ subject.ours() }])),
        ])
    ])
}

fn test_a_write_can_ask_another_table(subject: &Subject<'_>) -> FunctionDef {
    names!(owners, rename, session, renamed);
    let model = subject.model;
    border_test("test_a_write_can_ask_another_table").body(block![
        assign(owners, py!(select(model.organization_id))),
        assign(
            rename,
            py!(update(Organization)
                .r#where(Organization.id.in_(owners))
                .values(name = "renamed")
                .returning(Organization.id))
        ),
        on_our_side([
            assign(renamed, py!(session.scalars(rename).await.all())),
            assert_(py!(renamed == [border.ours])),
        ])
    ])
}

fn test_nothing_gets_past_the_session(subject: &Subject<'_>) -> FunctionDef {
    names!(session, inner, row);
    let Subject { model, words, .. } = *subject;
    let by_key = py!([dict!("id" => { subject.theirs() }, { words.as_str() } => "stolen")]);
    border_test("test_nothing_gets_past_the_session").body(on_our_side(block![
        refused(py!(session.connection().await)),
        assign(row, subject.made("new")),
        refused(py!(session.run_sync(|inner| inner.bulk_save_objects([row])).await)),
        refused(py!(session
            .run_sync(|inner| inner.bulk_update_mappings(model, { by_key.clone() }))
            .await)),
        refused(py!(session.run_sync(|inner| inner.bulk_insert_mappings(model, { by_key })).await))
    ]))
}
