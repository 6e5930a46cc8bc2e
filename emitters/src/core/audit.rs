//! `backend/app/core/audit.py`: what was done, and by whom: written with the change itself, never changed again.

use crate::core::client::Client;
use crate::core::log_context::{current_request_id, current_user};
use crate::models::audit_event::{ActorKind, AuditAction, AuditEvent};
use crate::models::base::Audited;
use crate::models::organization::Organization;
use crate::python::builtins::{dict, frozenset, isinstance, object, str};
use crate::python::pydantic::to_jsonable_python;
use crate::python::sqlalchemy::{AsyncSession, Session, UOWTransaction, inspect};
use crate::python::standard::{Any, Iterable, Iterator, Sequence, UUID, dataclass, re, uuid4};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.audit": ACTOR, HIDDEN, MAX_TEXT_LENGTH, SECRET, SILENT, Changes, Actor, Target,
        SYSTEM, user_actor, act_as, record, note_changes, audited, note, organization_of, changes_of, first,
        shown;
}

/// The module.
#[must_use]
pub fn emit(has_billing: bool) -> Module {
    let silent = ["id", "created_at", "updated_at", "organization_id", "row_version"];
    let silent = silent.into_iter().chain(has_billing.then_some("subscription_version"));
    let silent = make::set(silent);
    module("app.core.audit")
        .docstring("What was done, and by whom: written with the change, and never changed again.")
        .body(block![
            assign(ACTOR, "actor"),
            assign(HIDDEN, "[hidden]"),
            assign(MAX_TEXT_LENGTH, 1000),
            assign(SECRET, py!(re.compile("password|secret|token|hash"))),
            assign(SILENT, py!(frozenset(silent)))
                .comment("What every row has, and what says nothing of a change."),
            assign(Changes, py!(dict[(str, dict[(str, Any)])])).paragraph(),
            actor_class(),
            target_class(),
            assign(SYSTEM, py!(Actor(ActorKind.SYSTEM))),
            user_actor_def(),
            act_as_def(),
            record_def(),
            note_changes_def(),
            audited_def(),
            note_def(),
            organization_of_def(),
            changes_of_def(),
            first_def(),
            shown_def()
        ])
}

fn actor_class() -> ClassDef {
    names!(kind, id, user_id, ip_address, user_agent);
    class(Actor).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("Who does something, for which user, and from where."),
        annotate(kind, ActorKind),
        ann_assign(id, py!(UUID | None), none()),
        ann_assign(user_id, py!(UUID | None), none()),
        ann_assign(ip_address, str, ""),
        ann_assign(user_agent, str, "")
    ])
}

fn user_actor_def() -> FunctionDef {
    names!(user_id, client);
    def(user_actor).params([param(user_id, UUID), param(client, Client)]).returns(Actor).body(
        block![
            docstring("Describe a user who is signed in."),
            return_(py!(Actor(
                ActorKind.USER,
                user_id,
                user_id,
                client.ip_address,
                client.user_agent
            )))
        ],
    )
}

fn target_class() -> ClassDef {
    names!(organization_id, table, id);
    class(Target).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("A row, and the organization that it belongs to."),
        annotate(organization_id, UUID),
        annotate(table, str),
        annotate(id, UUID)
    ])
}

fn act_as_def() -> FunctionDef {
    names!(session, actor);
    def(act_as).params([param(session, AsyncSession), param(actor, Actor)]).returns(none()).body(
        block![
            docstring("Name who is behind what the session changes."),
            assign(py!(session.info[ACTOR]), actor),
            do_(py!(current_user.set(actor.user_id)))
        ],
    )
}

fn record_def() -> FunctionDef {
    names!(session, action, target, changes, actor);
    def(record)
        .params([
            param(session, Session),
            param(action, AuditAction),
            param(target, Target),
            param(changes, py!(Changes | None)).default(none()),
        ])
        .returns(none())
        .body(block![
            docstring("Write an event that is stored, or lost, with the transaction."),
            ann_assign(actor, Actor, py!(session.info.get(ACTOR, SYSTEM))),
            do_(py!(session.add(AuditEvent(
                organization_id = target.organization_id,
                action = action,
                actor_kind = actor.kind,
                actor_id = actor.id,
                target = target.table,
                target_id = target.id,
                changes = changes || dict!(),
                request_id = current_request_id.get(),
                ip_address = actor.ip_address,
                user_agent = actor.user_agent
            ))))
        ])
}

fn note_changes_def() -> FunctionDef {
    names!(session, _context, _instances, row, removed);
    let noted = |rows: Expr, action: Expr| {
        for_(row, py!(audited(rows)), [do_(py!(note(session, row, action)))])
    };
    def(note_changes)
        .params([
            param(session, Session),
            param(_context, UOWTransaction),
            param(_instances, object),
        ])
        .returns(none())
        .body(block![
            docstring("Write down what a flush is about to do."),
            assign(removed, py!([*audited(session.deleted)])),
            if_(generator_any(), [return_none().comment("Its events go with it.")]),
            noted(py!(session.new), py!(AuditAction.CREATED)),
            noted(py!(session.dirty), py!(AuditAction.CHANGED)),
            noted(removed.into_expr(), py!(AuditAction.DELETED))
        ])
}

/// `any(isinstance(row, Organization) for row in removed)`
fn generator_any() -> Expr {
    names!(row, removed);
    use crate::python::builtins::any;
    py!(any(generator!(isinstance(row, Organization) for row in removed)))
}

fn audited_def() -> FunctionDef {
    names!(rows, row);
    def(audited).params([param(rows, py!(Iterable[object]))]).returns(py!(Iterator[Audited])).body(
        block![
            docstring("Select the rows whose changes are written down."),
            for_(row, rows, if_(py!(isinstance(row, Audited)), [do_(py!(yield_!(row)))]))
        ],
    )
}

fn note_def() -> FunctionDef {
    names!(session, row, action, organization_id, changes, table, target);
    def(note)
        .params([param(session, Session), param(row, Audited), param(action, AuditAction)])
        .returns(none())
        .body(block![
            docstring(
                "Write down what happens to a row.\n\nWhat is founded together with its organization is not: \
                 there is no organization yet\nthat the event could belong to."
            ),
            assign(organization_id, py!(organization_of(row, action))),
            assign(changes, py!(changes_of(row, action))),
            if_(
                py!(organization_id == None || !changes && is_!(action, AuditAction.CHANGED)),
                [return_none()]
            ),
            if_(
                py!(is_!(action, AuditAction.CHANGED) && in_!("deleted_at", changes)),
                block![
                    if_(
                        py!(changes["deleted_at"]["after"] == None),
                        [assign(action, py!(AuditAction.RESTORED))]
                    )
                    .else_([assign(action, py!(AuditAction.DELETED))])
                ]
            ),
            assign(py!(row.id), py!(row.id || uuid4())),
            assign(table, py!(str(inspect(row).mapper.local_table))),
            assign(target, py!(Target(organization_id, table, row.id))),
            do_(py!(record(session, action, target, changes)))
        ])
}

fn organization_of_def() -> FunctionDef {
    names!(row, action, organization_id);
    def(organization_of)
        .params([param(row, Audited), param(action, AuditAction)])
        .returns(py!(UUID | None))
        .body(block![
            docstring("Tell whose event it is; nobody's before the organization is there."),
            if_(
                py!(isinstance(row, Organization)),
                [return_(py!(if action == AuditAction.CREATED { None } else { row.id }))]
            ),
            ann_assign(
                organization_id,
                py!(UUID | None),
                py!(inspect(row).attrs["organization_id"].value)
            ),
            return_(organization_id)
        ])
}

fn changes_of_def() -> FunctionDef {
    names!(row, action, changes, column, added, unchanged, deleted, before, after, name);
    def(changes_of).params([param(row, Audited), param(action, AuditAction)]).returns(Changes).body(
        block![
            docstring("Describe each field that changes: what it was, and what it is."),
            ann_assign(changes, Changes, py!(dict!())),
            for_(
                column,
                py!(inspect(row).mapper.column_attrs),
                block![
                    assign(name, py!(column.key)),
                    assign(py!((added, unchanged, deleted)), py!(inspect(row).attrs[name].history)),
                    assign(py!((before, after)), py!((first(deleted), first(added)))),
                    if_(
                        py!(is_!(action, AuditAction.DELETED)),
                        [assign(py!((before, after)), py!((first(unchanged), None)))]
                    ),
                    if_(
                        py!(not_in!(name, SILENT) && before != after),
                        [assign(
                            py!(changes[name]),
                            py!(dict!(
                                "before" => shown(name, before),
                                "after" => shown(name, after)
                            ))
                        )]
                    )
                ]
            ),
            return_(changes)
        ],
    )
}

fn first_def() -> FunctionDef {
    names!(values);
    def(first).params([param(values, py!(Sequence[object] | None))]).returns(object).body(block![
        docstring("Return the first value, if there is one."),
        return_(py!(if values { values[0] } else { None }))
    ])
}

fn shown_def() -> FunctionDef {
    names!(name, value, plain);
    def(shown).params([param(name, str), param(value, object)]).returns(object).body(block![
        docstring("Return what may be read of a value; a secret may not, a long text not whole."),
        if_(py!(value != None && SECRET.search(name)), [return_(HIDDEN)]),
        ann_assign(plain, object, py!(to_jsonable_python(value))),
        return_(py!(if isinstance(plain, str) { plain[..MAX_TEXT_LENGTH] } else { plain }))
    ])
}
