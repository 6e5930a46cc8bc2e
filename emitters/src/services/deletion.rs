//! `backend/app/services/deletion.py`: what becomes of the rows that point at one that is deleted or restored.

use crate::core::audit::{Target, record};
use crate::core::errors::ConflictError;
use crate::core::soft_delete::INCLUDE_DELETED;
use crate::entity_names::model;
use crate::models::audit_event::AuditAction;
use crate::models::base::{SoftDeletable, Versioned, utcnow};
use crate::python::builtins::{TYPE, bool, dict, int, issubclass, len, list, str, tuple};
use crate::python::sqlalchemy::{
    AsyncSession, ColumnElement, InstrumentedAttribute, IntegrityError, delete, inspect, or_,
    select, update,
};
use crate::python::standard::{Any, Mapping, datetime};
use crate::relations::columns_pointing_at;
use crate::spec::{OnDelete, Spec};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.deletion": Column, CASCADES, RESTRICTS, RELEASES, PURGED, hide, hide_dependents,
        is_there, show, show_dependents, owners_are_there, change, purge;
}

/// What is done for the rows of some spec.
#[derive(Debug, Clone, Copy)]
struct Followed {
    cascades: bool,
    restricts: bool,
    releases: bool,
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let [cascades, restricts, releases] =
        [OnDelete::Cascade, OnDelete::Restrict, OnDelete::SetNull]
            .map(|action| links(spec, action));
    let followed = Followed {
        cascades: !cascades.is_empty(),
        restricts: !restricts.is_empty(),
        releases: !releases.is_empty(),
    };
    let follows = followed.cascades || followed.restricts || followed.releases;
    let purged = spec.in_creation_order().collect::<Vec<_>>().into_iter().rev();
    let purged = purged.filter(|entity| entity.soft_delete).map(|entity| model(&entity.names));
    module("app.services.deletion")
        .docstring("What becomes of the rows that point at one that is deleted or restored.")
        .body(block![
            follows.then(|| assign(Column, py!(InstrumentedAttribute[Any]))),
            followed.cascades.then(|| map(CASCADES, SoftDeletable, cascades).comment(
                "Who is deleted and restored with a row, by the column that points at it."
            )),
            followed.restricts.then(|| map(RESTRICTS, Versioned, restricts)
                .comment("Who keeps a row from being deleted.")),
            followed.releases.then(|| map(RELEASES, Versioned, releases)
                .comment("Who points at nothing when a row is deleted.")),
            ann_assign(PURGED, py!(tuple[(TYPE[SoftDeletable], ellipsis!())]), make::tuple(purged))
                .comment("What can be purged; a row comes before those that it points at."),
            hide_def(follows, followed),
            follows.then(|| hide_dependents_def(followed)),
            followed.restricts.then(is_there_def),
            show_def(followed.cascades),
            followed.cascades.then(|| [show_dependents_def(), owners_are_there_def()]),
            (followed.cascades || followed.releases).then(change_def),
            purge_def(followed.restricts)
        ])
}

/// The models that can be restored, each with the columns that point at it in one way.
fn links(spec: &Spec, on_delete: OnDelete) -> Vec<(Expr, Expr)> {
    let restorable = spec.entities.iter().filter(|entity| entity.soft_delete);
    let links = restorable.filter_map(|entity| {
        let columns = columns_pointing_at(spec, &entity.names, on_delete);
        let columns = columns.map(|(child, field)| {
            let child = model(&child.names);
            (child.attr(field.column), child.into_expr())
        });
        let columns: Vec<(Expr, Expr)> = columns.collect();
        (!columns.is_empty()).then(|| (model(&entity.names).into_expr(), make::dict(columns)))
    });
    links.collect()
}

fn map(name: Import, child: Import, links: Vec<(Expr, Expr)>) -> Stmt {
    let columns = py!(Mapping[(Column, TYPE[child])]);
    ann_assign(name, py!(Mapping[(TYPE[SoftDeletable], columns)]), make::dict(links))
}

fn hide_def(follows: bool, followed: Followed) -> FunctionDef {
    names!(session, row, in_use, deleted_at);
    let reason = followed.restricts.then(|| arg(in_use));
    let stamp = match follows {
        true => assign_all([deleted_at.into_expr(), py!(row.deleted_at)], py!(utcnow())),
        false => assign(py!(row.deleted_at), py!(utcnow())),
    };
    async_def(hide)
        .params([param(session, AsyncSession), param(row, SoftDeletable)])
        .params(followed.restricts.then(|| [star(), param(in_use, str)]).into_iter().flatten())
        .returns(none())
        .body(block![
            docstring(match (followed.cascades, followed.restricts) {
                (true, true) =>
                    "Delete a row and what belongs to it, or answer 409 if others refer to them.\n\
                     \n\
                     All get the same time: by it a restore finds what was deleted together.",
                (true, false) =>
                    "Delete a row and what belongs to it.\n\
                     \n\
                     All get the same time: by it a restore finds what was deleted together.",
                (false, true) => "Delete a row, or answer 409 if others refer to it.",
                (false, false) => "Delete a row.",
            }),
            stamp,
            do_(py!(session.flush().await)),
            follows
                .then(|| do_(py!(hide_dependents(session, TYPE(row), deleted_at, ..reason).await)))
        ])
}

fn hide_dependents_def(followed: Followed) -> FunctionDef {
    names!(session, model, deleted_at, in_use, gone, column, child, values, is_alive);
    let points = || py!(column.in_(gone));
    let refused = py!(ConflictError(in_use, code = "in_use"));
    let reason = followed.restricts.then(|| arg(in_use));
    async_def(hide_dependents)
        .params([
            param(session, AsyncSession),
            param(model, py!(TYPE[SoftDeletable])),
            param(deleted_at, datetime),
        ])
        .params(followed.restricts.then(|| param(in_use, str)))
        .returns(none())
        .body(block![
            docstring("Follow the columns that point at what was deleted at a time."),
            assign(gone, py!(select(model.id).r#where(model.deleted_at == deleted_at))),
            followed.restricts.then(|| for_(
                py!((column, child)),
                py!(RESTRICTS.get(model, dict!()).items()),
                if_(py!(is_there(session, child, { points() }).await), [raise(refused)])
            )),
            followed.releases.then(|| for_(
                py!((column, child)),
                py!(RELEASES.get(model, dict!()).items()),
                [do_(py!(change(session, child, AuditAction.CHANGED, dict!(column => None), {
                    points()
                })
                .await))]
            )),
            followed.cascades.then(|| for_(
                py!((column, child)),
                py!(CASCADES.get(model, dict!()).items()),
                block![
                    assign(values, py!(dict!(child.deleted_at => deleted_at))),
                    assign(is_alive, py!(child.deleted_at.is_(None))),
                    if_(
                        py!(change(
                            session,
                            child,
                            AuditAction.DELETED,
                            values,
                            { points() },
                            is_alive
                        )
                        .await),
                        [do_(py!(hide_dependents(session, child, deleted_at, ..reason).await))]
                    )
                ]
            ))
        ])
}

fn is_there_def() -> FunctionDef {
    names!(session, model, criterion, statement, found);
    async_def(is_there)
        .params([
            param(session, AsyncSession),
            param(model, py!(TYPE[Versioned])),
            param(criterion, py!(ColumnElement[bool])),
        ])
        .returns(bool)
        .body(block![
            docstring("Tell whether there is such a row that is not deleted."),
            assign(statement, py!(select(model.id).r#where(criterion).limit(1))),
            if_(
                py!(issubclass(model, SoftDeletable)),
                [assign(statement, py!(statement.r#where(model.deleted_at.is_(None))))]
            ),
            assign(found, py!(statement.execution_options(**INCLUDE_DELETED))),
            return_(py!(session.scalar(found).await != None))
        ])
}

fn show_def(cascades: bool) -> FunctionDef {
    names!(session, row, conflict, deleted_at, error);
    async_def(show)
        .params([
            param(session, AsyncSession),
            param(row, SoftDeletable),
            star(),
            param(conflict, str),
        ])
        .returns(none())
        .body(block![
            docstring(if cascades {
                "Restore a row and what was deleted together with it, or answer 409."
            } else {
                "Restore a row, or answer 409."
            }),
            if cascades {
                assign(py!((deleted_at, row.deleted_at)), py!((row.deleted_at, None)))
            } else {
                assign(py!(row.deleted_at), none())
            },
            try_(block![
                do_(py!(session.flush().await)),
                cascades.then(|| do_(py!(show_dependents(session, TYPE(row), deleted_at).await)))
            ])
            .except_as(
                IntegrityError,
                error,
                [raise_from(py!(ConflictError(conflict)), error)]
            )
        ])
}

fn show_dependents_def() -> FunctionDef {
    names!(session, model, deleted_at, child, was_hidden, owned, values);
    async_def(show_dependents)
        .params([
            param(session, AsyncSession),
            param(model, py!(TYPE[SoftDeletable])),
            param(deleted_at, py!(datetime | None)),
        ])
        .returns(none())
        .body(block![
            docstring("Follow the columns back, to rows that would not belong to a deleted one."),
            for_(
                child,
                py!(CASCADES.get(model, dict!()).values()),
                block![
                    assign(values, py!(dict!(child.deleted_at => None))),
                    assign(was_hidden, py!(child.deleted_at == deleted_at)),
                    assign(owned, py!(owners_are_there(child))),
                    if_(
                        py!(change(
                            session,
                            child,
                            AuditAction.RESTORED,
                            values,
                            was_hidden,
                            *owned
                        )
                        .await),
                        [do_(py!(show_dependents(session, child, deleted_at).await))]
                    )
                ]
            )
        ])
}

fn owners_are_there_def() -> FunctionDef {
    names!(child, owner, columns, column, model);
    let clauses = [
        make::for_in(py!((owner, columns)), py!(CASCADES.items()), [] as [Expr; 0]),
        make::for_in(py!((column, model)), py!(columns.items()), [py!(is_!(model, child))]),
    ];
    let alive_owners = py!(select(owner.id).r#where(owner.deleted_at.is_(None)));
    let criterion = py!(or_(column.is_(None), column.in_(alive_owners)));
    def(owners_are_there)
        .params([param(child, py!(TYPE[SoftDeletable]))])
        .returns(py!(list[ColumnElement[bool]]))
        .body(block![
            docstring("Select the rows whose owners are not deleted."),
            return_(make::list_comp(criterion, clauses))
        ])
}

fn change_def() -> FunctionDef {
    names!(
        session,
        model,
        action,
        values,
        criteria,
        statement,
        changed,
        table,
        row_id,
        organization_id
    );
    let values_set = py!(update(model)
        .r#where(*criteria)
        .values(dict!(model.row_version => model.row_version + 1, **values))
        .returning(model.id, model.organization_id)
        .execution_options(**INCLUDE_DELETED, synchronize_session = false));
    async_def(change)
        .params([
            param(session, AsyncSession),
            param(model, py!(TYPE[Versioned])),
            param(action, AuditAction),
            param(values, py!(dict[(Column, Any)])),
            varargs(criteria, py!(ColumnElement[bool])),
        ])
        .returns(bool)
        .body(block![
            docstring("Change rows, deleted ones among them, and tell whether there were any."),
            assign(statement, values_set),
            assign(table, py!(str(inspect(model).local_table))),
            assign(changed, py!(session.execute(statement).await.all())),
            for_(
                py!((row_id, organization_id)),
                changed,
                [do_(py!(record(
                    session.sync_session,
                    action,
                    Target(organization_id, table, row_id)
                )))]
            ),
            return_(py!(bool(changed)))
        ])
}

fn purge_def(restricts: bool) -> FunctionDef {
    names!(session, before, removed, model, column, free, statement);
    let referenced = py!(select(column).r#where(column.is_not(None)).correlate(None));
    let free_clause = py!(list!(
        model.id.not_in({ referenced }) for column in RESTRICTS.get(model, dict!())
    ));
    let unreferenced = restricts.then(|| make::starred(free));
    let is_old = [py!(model.deleted_at < before)].into_iter().chain(unreferenced).map(arg);
    let deletion = py!(delete(model)
        .r#where(..is_old)
        .returning(model.id)
        .execution_options(**INCLUDE_DELETED, synchronize_session = false));
    async_def(purge)
        .params([param(session, AsyncSession), param(before, datetime)])
        .returns(int)
        .body(block![
            docstring(if restricts {
                "Remove what was deleted before a time, unless another row refers to it."
            } else {
                "Remove what was deleted before a time."
            }),
            assign(removed, 0),
            for_(
                model,
                PURGED,
                block![
                    restricts.then(|| assign(free, free_clause)),
                    assign(statement, deletion),
                    aug_assign(
                        removed,
                        Operator::Add,
                        py!(len(session.scalars(statement).await.all()))
                    )
                ]
            ),
            return_(removed)
        ])
}
