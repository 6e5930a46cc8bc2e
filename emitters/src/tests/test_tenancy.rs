//! `backend/tests/test_tenancy.py`: the border between two tenants, statement by statement.

use crate::core::tenancy::bind_tenant;
use crate::models::base::TenantScoped;
use crate::models::package::Organization;
use crate::python::builtins::{list, set, str};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{
    DBAPIError, DeclarativeBase, Executable, ExecutableOption, IntegrityError, Mapped, aliased,
    delete, exists, foreign, func, joinedload, relationship, remote, select, selectinload,
    subqueryload, text, union, update,
};
use crate::python::standard::Callable;
use crate::spec::Spec;
use crate::tests::border::{border, border_test, on_our_side, on_their_side, refused};
use crate::tests::subject::{Subject, child_of, subject};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_tenancy": ProbeBase, Probe;
}

/// The module; none where no entity is plain enough to be made without others.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let subject = &subject(spec)?;
    let has_policies = spec.tenancy.row_level_security;
    let docstring = "The border between two tenants, statement by statement.";
    Some(module("tests.test_tenancy").docstring(docstring).body(block![
        probe_base_class(),
        probe_class(subject),
        test_new_rows_are_stamped(subject),
        test_every_kind_of_select_is_filtered(subject),
        test_relationships_are_filtered(subject),
        test_relationships_of_new_rows_are_filtered(subject),
        test_get_and_refresh_are_filtered(subject),
        test_bulk_update_and_delete_are_filtered(subject),
        test_a_bulk_update_cannot_move_rows(subject),
        test_rows_of_another_tenant_are_not_written(subject),
        test_own_rows_cannot_be_given_away(subject),
        test_without_a_tenant_nothing_works(subject),
        test_a_session_keeps_its_tenant(subject),
        child_of(spec, subject).map(test_a_child_cannot_have_a_parent_of_another_tenant),
        test_work_across_tenants_needs_its_own_session(subject),
        test_a_job_works_for_one_tenant(subject),
        has_policies.then(|| test_postgresql_says_it_once_more(subject))
    ]))
}

fn probe_base_class() -> ClassDef {
    let docs = "The base of models that exist in this file only.";
    class(ProbeBase).base(DeclarativeBase).body(block![docstring(docs)])
}

fn probe_class(subject: &Subject<'_>) -> ClassDef {
    names!(__table__, namesakes);
    let Subject { model, words, .. } = *subject;
    let name = Probe.attr(words);
    let other = Probe.attr(words);
    class(Probe).base(TenantScoped).base(ProbeBase).body(block![
        docstring(format!(
            "{} with a relationship that looks over the border.",
            subject.a_row(true)
        )),
        assign(__table__, py!(model.__table__)),
        annotate(words, py!(Mapped[str])),
        ann_assign(
            namesakes,
            py!(Mapped[list["Probe"]]),
            py!(relationship(primaryjoin = || remote(foreign(name)) == other, viewonly = true))
        )
    ])
}

fn test_new_rows_are_stamped(subject: &Subject<'_>) -> FunctionDef {
    names!(session);
    let row = subject.row;
    border_test("test_new_rows_are_stamped").body(on_our_side([
        assign(row, subject.made("new")),
        do_(py!(session.add(row))),
        do_(py!(session.flush().await)),
        assert_(py!(row.organization_id == border.ours)),
    ]))
}

fn test_every_kind_of_select_is_filtered(subject: &Subject<'_>) -> FunctionDef {
    names!(other, names, common, statements, session, statement, found);
    let Subject { model, words, .. } = *subject;
    let (name, others) = (&model.attr(words), &other.attr(words));
    let selected = py!(names.c).attr(words);
    border_test("test_every_kind_of_select_is_filtered").body(block![
        assign(other, py!(aliased(model))),
        assign(names, py!(select(name).subquery())),
        assign(common, py!(select(model.id).cte())),
        ann_assign(
            statements,
            py!(list[Executable]),
            py!([
                select(model.id),
                select(other.id),
                select(model.id).join(other, others == name),
                select(model.id).r#where(exists().r#where(others == name)),
                select(model.id).r#where(name.in_(select(selected))),
                select(common.c.id),
                union(select(model.id), select(other.id))
            ])
        ),
        on_our_side(block![
            for_(
                statement,
                statements,
                block![
                    assign(found, py!(session.execute(statement).await.scalars().all())),
                    assert_(py!(found == [{ subject.ours() }]))
                ]
            ),
            assert_(py!(session.scalar(select(func.count()).select_from(model)).await == 1)),
            assert_(py!(session.scalar(select(func.count(model.id))).await == 1))
        ])
    ])
}

fn test_relationships_are_filtered(subject: &Subject<'_>) -> FunctionDef {
    names!(load, session, statement, probe, row);
    border_test("test_relationships_are_filtered")
        .decorator(py!(pytest.mark.parametrize("load", [selectinload, joinedload, subqueryload])))
        .params([param(load, py!(Callable[(ellipsis!(), ExecutableOption)]))])
        .body(on_our_side([
            assign(statement, py!(select(Probe).options(load(Probe.namesakes)))),
            assign(probe, py!(session.scalars(statement).await.unique().one())),
            assert_(py!(list!(row.id for row in probe.namesakes) == [{ subject.ours() }])),
        ]))
}

fn test_relationships_of_new_rows_are_filtered(subject: &Subject<'_>) -> FunctionDef {
    names!(session, probe, namesakes, row);
    let new_probe = || {
        let values = subject.values("new").into_iter();
        Probe.call(values.chain([kw("row_version", 1)]))
    };
    border_test("test_relationships_of_new_rows_are_filtered").body(block![
        on_their_side([do_(py!(session.add({ new_probe() }))), do_(py!(session.commit().await)),]),
        on_our_side([
            assign(probe, new_probe()),
            do_(py!(session.add(probe))),
            do_(py!(session.flush().await)),
            assign(namesakes, py!(session.run_sync(|_| probe.namesakes).await)),
            assert_(py!(list!(row.id for row in namesakes) == [probe.id])),
        ])
    ])
}

fn test_get_and_refresh_are_filtered(subject: &Subject<'_>) -> FunctionDef {
    names!(session);
    let Subject { model, row, .. } = *subject;
    border_test("test_get_and_refresh_are_filtered").body(on_our_side([
        assert_(py!(session.get(model, { subject.theirs() }).await == None)),
        assign(row, py!(session.get_one(model, { subject.ours() }).await)),
        do_(py!(session.refresh(row).await)),
        do_(py!(session.expire(row))),
        do_(py!(session.refresh(row).await)),
        assert_(py!(row.organization_id == border.ours)),
    ]))
}

fn test_bulk_update_and_delete_are_filtered(subject: &Subject<'_>) -> FunctionDef {
    names!(session, untouched);
    let Subject { model, words, .. } = *subject;
    let before = untouched.attr(words).eq(subject.a_row(false));
    border_test("test_bulk_update_and_delete_are_filtered").body(block![
        on_our_side([
            do_(py!(session.execute(update(model).values(..[kw(words, "changed")])).await)),
            do_(py!(session.execute(delete(model)).await)),
            do_(py!(session.commit().await)),
        ]),
        on_their_side([
            assign(untouched, py!(session.get_one(model, { subject.theirs() }).await)),
            assert_(before),
        ])
    ])
}

fn test_a_bulk_update_cannot_move_rows(subject: &Subject<'_>) -> FunctionDef {
    names!(elsewhere, moves, session, r#move, own);
    let Subject { model, words, .. } = *subject;
    border_test("test_a_bulk_update_cannot_move_rows").body(block![
        assign(elsewhere, py!(select(Organization.id).limit(1))),
        assign(
            moves,
            py!([
                update(model).values(organization_id = border.theirs),
                update(model).values(dict!(model.organization_id => border.theirs)),
                update(model).values(organization_id = elsewhere.scalar_subquery())
            ])
        ),
        on_our_side(block![
            for_(r#move, moves, refused(py!(session.execute(r#move).await))),
            assign(own, py!(update(model).r#where(model.organization_id == border.ours))),
            do_(py!(session.execute(own.values(..[kw(words, "kept")])).await))
        ])
    ])
}

fn test_rows_of_another_tenant_are_not_written(subject: &Subject<'_>) -> FunctionDef {
    names!(session);
    let foreign_row = name("foreign");
    let model = subject.model;
    let mut smuggled = subject.values("new");
    smuggled.push(kw("organization_id", py!(border.theirs)));
    let added = || do_(py!(session.add(foreign_row)));
    let flushed = || refused(py!(session.flush().await));
    let forgotten = || do_(py!(session.expunge(foreign_row)));
    border_test("test_rows_of_another_tenant_are_not_written").body(block![
        on_their_side([assign(
            foreign_row,
            py!(session.get_one(model, { subject.theirs() }).await)
        )]),
        on_our_side(block![do_(py!(session.add(model(..smuggled)))), flushed()]),
        on_our_side(block![
            added(),
            assign(foreign_row.attr(subject.words), "changed"),
            flushed(),
            forgotten()
        ]),
        on_our_side(block![
            added(),
            assign(py!(foreign_row.organization_id), py!(border.ours)),
            flushed(),
            forgotten()
        ]),
        on_our_side(block![do_(py!(session.delete(foreign_row).await)), flushed()])
    ])
}

fn test_own_rows_cannot_be_given_away(subject: &Subject<'_>) -> FunctionDef {
    names!(session);
    let Subject { model, row, .. } = *subject;
    border_test("test_own_rows_cannot_be_given_away").body(on_our_side(block![
        assign(row, py!(session.get_one(model, { subject.ours() }).await)),
        assign(py!(row.organization_id), py!(border.theirs)),
        refused(py!(session.flush().await))
    ]))
}

fn test_without_a_tenant_nothing_works(subject: &Subject<'_>) -> FunctionDef {
    names!(session, statements, statement);
    let Subject { model, words, .. } = *subject;
    let is_ours = model.attr(words).eq(subject.a_row(false));
    let statement_list = py!([
        select(model),
        select(model.id),
        select(Organization).join(model, model.organization_id.is_not(None)),
        select(Organization).r#where(exists().r#where(is_ours)),
        select(aliased(model)),
        update(model).values(..[kw(words, "changed")]),
        delete(model)
    ]);
    border_test("test_without_a_tenant_nothing_works").body(async_with_as(
        py!(border.database.session()),
        session,
        block![
            assign(statements, statement_list),
            for_(statement, statements, refused(py!(session.execute(statement).await))),
            refused(py!(session.get(model, { subject.ours() }).await)),
            do_(py!(session.add({ subject.made("new") }))),
            refused(py!(session.flush().await))
        ],
    ))
}

fn test_a_session_keeps_its_tenant(subject: &Subject<'_>) -> FunctionDef {
    names!(session, found);
    let model = subject.model;
    border_test("test_a_session_keeps_its_tenant").body(on_our_side(block![
        do_(py!(bind_tenant(session, border.ours).await)),
        refused(py!(bind_tenant(session, border.theirs).await)),
        do_(py!(session.commit().await)),
        assign(found, py!(session.scalars(select(model.id)).await)),
        assert_(py!(found.all() == [{ subject.ours() }]))
    ]))
}

fn test_a_child_cannot_have_a_parent_of_another_tenant(child: Expr) -> FunctionDef {
    names!(session);
    border_test("test_a_child_cannot_have_a_parent_of_another_tenant").body(on_our_side(block![
        do_(py!(session.add(child))),
        with(py!(pytest.raises(IntegrityError)), [do_(py!(session.flush().await))])
    ]))
}

fn test_work_across_tenants_needs_its_own_session(subject: &Subject<'_>) -> FunctionDef {
    names!(caplog, session, found);
    let model = subject.model;
    let open = py!(border.database.all_tenants_session(reason = "a test"));
    border_test("test_work_across_tenants_needs_its_own_session")
        .params([param(caplog, py!(pytest.LogCaptureFixture))])
        .body(block![
            async_with_as(
                open,
                session,
                block![
                    assign(found, py!(session.scalars(select(model.id)).await.all())),
                    assert_(py!(set(found) == set!({ subject.ours() }, { subject.theirs() }))),
                    refused(py!(bind_tenant(session, border.ours).await))
                ]
            ),
            assert_(py!(in_!("a test", caplog.text))),
            // What one session has loaded, another one does not see.
            on_our_side([assert_(py!(session.get(model, { subject.theirs() }).await == None))])
        ])
}

fn test_a_job_works_for_one_tenant(subject: &Subject<'_>) -> FunctionDef {
    names!(session);
    let Subject { model, row, .. } = *subject;
    let open = || py!(border.database.tenant_session(border.theirs));
    let kept = py!(session.get_one(model, { subject.theirs() }).await).attr(subject.words);
    border_test("test_a_job_works_for_one_tenant").body(block![
        async_with_as(
            open(),
            session,
            block![
                assert_(py!(session.get(model, { subject.ours() }).await == None)),
                assign(row, py!(session.get_one(model, { subject.theirs() }).await)),
                assign(row.attr(subject.words), "changed")
            ]
        ),
        async_with_as(open(), session, [assert_(kept.eq("changed"))])
    ])
}

fn test_postgresql_says_it_once_more(subject: &Subject<'_>) -> FunctionDef {
    names!(connection, everything, steal, announce, unbound);
    let theft = format!("UPDATE {} SET organization_id = :theirs", subject.table);
    let stolen = py!(connection.execute(steal, dict!("theirs" => border.theirs)).await);
    let engine = || py!(border.database.engine);
    border_test("test_postgresql_says_it_once_more").body(block![
        if_(
            py!({ engine() }.dialect.name != "postgresql"),
            [do_(py!(pytest.skip("only PostgreSQL has row-level security")))]
        ),
        assign(announce, py!(text("SELECT set_config('app.tenant_id', :tenant, true)"))),
        assign(everything, py!(text({ subject.select_ids() }))),
        assign(steal, py!(text(theft))),
        async_with_as(
            py!({ engine() }.connect()),
            connection,
            block![
                do_(py!(connection.execute(announce, dict!("tenant" => str(border.ours))).await)),
                assert_(py!(connection.scalars(everything).await.all() == [{ subject.ours() }])),
                with(py!(pytest.raises(DBAPIError)), [do_(stolen)])
            ]
        ),
        async_with_as(
            py!({ engine() }.connect()),
            unbound,
            [assert_(py!(unbound.scalars(everything).await.all() == []))]
        )
    ])
}
