//! `backend/tests/test_border_properties.py`: whatever two tenants do, nothing crosses the border between them.

use crate::python::builtins::{bool, int, len, list, str, tuple};
use crate::python::httpx2::Response;
use crate::python::hypothesis::{HealthCheck, given, settings, st};
use crate::python::sqlalchemy::select;
use crate::python::standard::{dataclass, field, uuid4};
use crate::spec::{Entity, FieldKind, Spec};
use crate::tests::entity_rows::{Needs, most_rows};
use crate::tests::factories::body_of;
use crate::tests::subject::model_of;
use crate::tests::world::{Caller, World};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_border_properties": ACTS, Side, settle, attempt;
}

/// The module; none where no entity can be made by itself, a few times.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let needs = &Needs::of(spec);
    let entity = spec.entities.iter().find(|entity| {
        let refers = |kind: &FieldKind| matches!(kind, FieldKind::Reference(_));
        let is_plain = !entity.fields.iter().any(|one| refers(&one.kind));
        is_plain && most_rows(needs, entity).is_some_and(|most| most >= 3)
    })?;
    let docstring = "Whatever two tenants do, in whatever order, nothing crosses the border.";
    Some(module("tests.test_border_properties").docstring(docstring).body(block![
        assign(ACTS, py!(["create", "list", "read", "change", "delete", "audit"])),
        side_class(),
        settle_def(entity),
        attempt_def(entity),
        test_nothing_crosses(entity)
    ]))
}

fn side_class() -> ClassDef {
    names!(member, path, rows, ids, organization_id);
    class(Side).decorator(dataclass).body(block![
        docstring("A tenant: somebody in it, its organization, and the rows that it has made."),
        annotate(member, Caller),
        annotate(organization_id, str),
        annotate(rows, str),
        ann_assign(ids, py!(list[str]), py!(field(default_factory = list[str])))
    ])
}

fn settle_def(entity: &Entity) -> FunctionDef {
    names!(world, member, organization_id, path);
    let rows = entity.names.path.as_str();
    async_def(settle).params([param(world, World)]).returns(Side).body(block![
        docstring("Found a tenant."),
        assign(member, py!(world.sign_up(f!("{}@example.com", uuid4().hex)).await)),
        assign(organization_id, py!(member.organization().await)),
        assign(path, py!(f!("/organizations/{}/{}", organization_id, { string(rows) }))),
        return_(py!(Side(member, organization_id, path)))
    ])
}

fn attempt_def(entity: &Entity) -> FunctionDef {
    names!(actor, on, act, row_id, path, body);
    let write = body_of(&entity.names);
    async_def(attempt)
        .params([param(actor, Side), param(on, Side), param(act, str), param(row_id, str)])
        .returns(Response)
        .body(block![
            docstring("Try something on a side of the border; it may be refused."),
            assign(path, py!(f!("{}/{}", on.rows, row_id))),
            assign(body, py!(write(actor.member, actor.organization_id).await)),
            if_(py!(act == "create"), [return_(py!(actor.member.post(on.rows, body).await))]),
            if_(py!(act == "list"), [return_(py!(actor.member.get(on.rows).await))]),
            if_(py!(act == "read"), [return_(py!(actor.member.get(path).await))]),
            if_(py!(act == "change"), [return_(py!(actor.member.patch(path, body).await))]),
            if_(py!(act == "delete"), [return_(py!(actor.member.delete(path).await))]),
            assign(path, py!(f!("/organizations/{}/audit", on.organization_id))),
            return_(py!(actor.member.get(path).await))
        ])
}

fn test_nothing_crosses(entity: &Entity) -> FunctionDef {
    names!(
        world, steps, first, second, is_second, is_across, act, place, actor, other, on, ids,
        row_id, response, foreign, session, side, row, owners
    );
    let model = model_of(&entity.names);
    let step =
        py!(st.tuples(st.booleans(), st.booleans(), st.sampled_from(ACTS), st.integers(0, 99)));
    async_def("test_nothing_crosses")
        .decorator(py!(settings(
            max_examples = 20,
            deadline = None,
            database = None,
            suppress_health_check = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
        )))
        .decorator(py!(given(steps = st.lists(step, min_size = 1, max_size = 12))))
        .params([param(world, World), param(steps, py!(list[tuple[(bool, bool, str, int)]]))])
        .returns(none())
        .body(block![
            assign(py!((first, second)), py!((settle(world).await, settle(world).await))),
            for_(
                py!((is_second, is_across, act, place)),
                steps,
                block![
                    assign(
                        py!((actor, other)),
                        py!(if is_second { (second, first) } else { (first, second) })
                    ),
                    assign(on, py!(if is_across { other } else { actor })),
                    assign(ids, py!([*first.ids, *second.ids, uuid4().hex])),
                    assign(row_id, py!(ids[place % len(ids)])),
                    assign(response, py!(attempt(actor, on, act, row_id).await)),
                    assert_(py!(response.status_code < 500)),
                    assert_(py!(!is_across || response.status_code == 404)),
                    if_(
                        py!(act == "create" && response.status_code == 201),
                        [do_(py!(actor.ids.append(response.json()["id"])))]
                    ),
                    for_(
                        foreign,
                        py!((other.organization_id, *other.ids)),
                        [assert_(py!(not_in!(foreign, response.text)))]
                    )
                ]
            ),
            async_with_as(
                py!(world.database.all_tenants_session(reason = "a test")),
                session,
                [assign(
                    owners,
                    py!(dict!(
                        str(row.id) => str(row.organization_id)
                        for row in session.scalars(select(model)).await
                    ))
                )]
            ),
            for_(
                side,
                py!((first, second)),
                for_(
                    row_id,
                    py!(side.ids),
                    [assert_(
                        py!(owners.get(row_id, side.organization_id) == side.organization_id)
                    )]
                )
            )
        ])
}
