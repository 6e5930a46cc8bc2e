//! `backend/tests/test_audit.py`: the audit log.

use crate::core::tenancy::bind_tenant;
use crate::models::audit_event::AuditEvent;
use crate::models::package::User;
use crate::python::builtins::{len, list, str, tuple};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{DBAPIError, UpdateBase, delete, select, update};
use crate::python::standard::{json, uuid4};
use crate::spec::{Role, Spec};
use crate::tests::border::{border_test, on_our_side};
use crate::tests::casting::{bystander, has_room};
use crate::tests::subject::{Subject, subject};
use crate::tests::world::{Caller, World};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_audit": renamed;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let rows = subject(spec);
    module("tests.test_audit").docstring("The audit log.").body(block![
        renamed_def(),
        test_a_change_is_written_down(),
        test_events_are_found(),
        test_the_log_of_others_is_not_there(),
        bystander(spec).map(test_not_every_role_reads_the_log),
        test_the_log_is_exported(),
        test_nothing_is_changed_or_removed(),
        has_room(spec, 2).then(|| test_secrets_are_hidden(spec)),
        rows.as_ref().map(test_the_life_of_a_row),
        rows.as_ref().map(test_what_is_rolled_back_leaves_no_event)
    ])
}

fn renamed_def() -> FunctionDef {
    names!(world, ada, path, response, request_id);
    async_def(renamed).params([param(world, World)]).returns(py!(tuple[(Caller, str, str)])).body(
        block![
            docstring("Rename an organization: who did it, the organization, the request."),
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(path, py!(f!("/organizations/{}", ada.organization().await))),
            assign(response, py!(ada.patch(path, dict!("name" => "New")).await)),
            assert_(py!(response.status_code == 200)),
            assign(request_id, py!(response.headers["X-Request-ID"])),
            return_(py!((ada, path, request_id)))
        ],
    )
}

fn audit_test(test: &'static str) -> FunctionDef {
    async_def(test).params([param(name("world"), World)]).returns(none())
}

fn test_a_change_is_written_down() -> FunctionDef {
    names!(world, ada, path, request_id, page, event, session, own, user_id);
    audit_test("test_a_change_is_written_down").body(block![
        assign(py!((ada, path, request_id)), py!(renamed(world).await)),
        assign(page, py!(ada.get(f!("{}/audit", path)).await.json())),
        assign(event, py!(page["items"][0])),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                assign(own, py!(select(User.id).r#where(User.email == ada.email))),
                assign(user_id, py!(session.scalar(own).await))
            ]
        ),
        assert_(py!((event["action"], event["target"]) == ("changed", "organizations"))),
        assert_(py!((event["actor_kind"], event["actor_id"]) == ("user", str(user_id)))),
        assert_(py!(event["request_id"] == request_id)),
        assert_(py!(event["ip_address"] == "127.0.0.1")),
        assert_(py!(event["changes"]["name"]["after"] == "New")),
        do_(py!(ada.patch(path, dict!("name" => "New")).await)),
        assert_(py!(ada.get(f!("{}/audit", path)).await.json() == page))
    ])
}

fn test_events_are_found() -> FunctionDef {
    names!(world, ada, path, _request_id, target_id, query, found, expected);
    let cases = [
        py!((f!("target_id={}", target_id), true)),
        py!((f!("target_id={}", uuid4()), false)),
        py!(("action=changed&target=organizations", true)),
        py!(("action=restored", false)),
        py!((f!("actor_id={}", uuid4()), false)),
    ];
    audit_test("test_events_are_found").body(block![
        assign(py!((ada, path, _request_id)), py!(renamed(world).await)),
        assign(target_id, py!(path.rsplit("/", 1)[1])),
        for_(
            py!((query, expected)),
            tuple_of(cases),
            block![
                assign(found, py!(ada.get(f!("{}/audit?{}", path, query)).await.json())),
                assert_(py!((len(found["items"]) > 0) == expected))
            ]
        ),
        for_(
            query,
            py!(("action=odd", "target=%00", "target_id=1")),
            [assert_(py!(ada.get(f!("{}/audit?{}", path, query)).await.status_code == 422))]
        )
    ])
}

fn tuple_of(values: impl IntoIterator<Item = Expr>) -> Expr {
    astgen_pyast::make::tuple(values)
}

fn test_the_log_of_others_is_not_there() -> FunctionDef {
    names!(world, _ada, path, request_id, eve, own, end, text);
    audit_test("test_the_log_of_others_is_not_there").body(block![
        assign(py!((_ada, path, request_id)), py!(renamed(world).await)),
        assign(eve, py!(world.sign_up("eve@example.com").await)),
        assign(own, py!(f!("/organizations/{}", eve.organization().await))),
        for_(
            end,
            py!(("audit", "audit/export")),
            block![
                assert_(py!(eve.get(f!("{}/{}", path, end)).await.status_code == 404)),
                assign(text, py!(eve.get(f!("{}/{}", own, end)).await.text)),
                assert_(py!(not_in!(request_id, text)))
            ]
        )
    ])
}

fn test_not_every_role_reads_the_log(role: &Role) -> FunctionDef {
    let role = role.name.as_str();
    names!(world, ada, path, _request_id, organization_id, member);
    audit_test("test_not_every_role_reads_the_log").body(block![
        assign(py!((ada, path, _request_id)), py!(renamed(world).await)),
        assign(organization_id, py!(path.rsplit("/", 1)[1])),
        assign(member, py!(world.member(ada, organization_id, role).await)),
        assert_(py!(member.get(f!("{}/audit", path)).await.status_code == 403)),
        assert_(py!(member.get(f!("{}/audit/export", path)).await.status_code == 403))
    ])
}

fn test_the_log_is_exported() -> FunctionDef {
    names!(world, monkeypatch, ada, path, _request_id, page, response, lines, line, event, number);
    use crate::python::builtins::{range, reversed};
    audit_test("test_the_log_is_exported")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            do_(py!(monkeypatch.setattr("app.services.audit_service.BATCH", 2))),
            assign(py!((ada, path, _request_id)), py!(renamed(world).await)),
            for_(
                number,
                py!(range(4)),
                [do_(py!(ada.patch(path, dict!("name" => f!("Name {}", number))).await))]
            ),
            assign(page, py!(ada.get(f!("{}/audit?limit=100", path)).await.json())),
            assign(response, py!(ada.get(f!("{}/audit/export", path)).await)),
            assert_(py!(response.headers["Content-Type"] == "application/x-ndjson")),
            assign(lines, py!(list!(json.loads(line) for line in response.text.splitlines()))),
            assert_(py!(lines == list(reversed(page["items"])))),
            assert_(py!(len(lines) > 4))
        ])
}

fn test_nothing_is_changed_or_removed() -> FunctionDef {
    names!(world, ada, path, _request_id, statement, session, page);
    let statements = py!((update(AuditEvent).values(target = "other"), delete(AuditEvent)));
    audit_test("test_nothing_is_changed_or_removed").body(block![
        assign(py!((ada, path, _request_id)), py!(renamed(world).await)),
        assign(page, py!(ada.get(f!("{}/audit", path)).await.json())),
        ann_assign(name("statements"), py!(tuple[(UpdateBase, { ellipsis() })]), statements),
        for_(
            statement,
            name("statements"),
            with(
                py!(pytest.raises(DBAPIError, r#match = "final")),
                [async_with_as(
                    py!(world.database.all_tenants_session(reason = "a test")),
                    session,
                    [do_(py!(session.execute(statement).await))]
                )]
            )
        ),
        assert_(py!(ada.get(f!("{}/audit", path)).await.json() == page))
    ])
}

fn test_secrets_are_hidden(spec: &Spec) -> FunctionDef {
    let role = spec.organizations.lowest().name.as_str();
    names!(world, ada, path, _request_id, organization_id, page, changes);
    audit_test("test_secrets_are_hidden").body(block![
        assign(py!((ada, path, _request_id)), py!(renamed(world).await)),
        assign(organization_id, py!(path.rsplit("/", 1)[1])),
        do_(py!(world.invite(ada, organization_id, "bob@example.com", role).await)),
        assign(page, py!(ada.get(f!("{}/audit?target=invitations", path)).await.json())),
        assign(changes, py!(page["items"][-1]["changes"])),
        assert_(py!(changes["token_hash"]["after"] == "[hidden]")),
        assert_(py!(changes["email"]["after"] == "bob@example.com"))
    ])
}

fn test_the_life_of_a_row(subject: &Subject<'_>) -> FunctionDef {
    names!(session, border, events, event);
    let row = subject.row;
    let words = row.attr(subject.words);
    border_test("test_the_life_of_a_row").body(block![on_our_side(block![
        assign(row, subject.made("new")),
        do_(py!(session.add(row))),
        do_(py!(session.flush().await)),
        assign(words, "other"),
        do_(py!(session.flush().await)),
        do_(py!(session.delete(row).await)),
        do_(py!(session.flush().await)),
        assign(
            events,
            py!(session.scalars(select(AuditEvent).r#where(AuditEvent.target_id == row.id)).await)
        ),
        assert_(py!(set!((event.action, event.actor_kind) for event in events)
            == set!(("created", "system"), ("changed", "system"), ("deleted", "system")))),
        assert_(py!(border.ours != border.theirs))
    ])])
}

fn test_what_is_rolled_back_leaves_no_event(subject: &Subject<'_>) -> FunctionDef {
    names!(session, border, found);
    let row = subject.row;
    border_test("test_what_is_rolled_back_leaves_no_event").body(block![on_our_side(block![
        assign(row, subject.made("new")),
        do_(py!(session.add(row))),
        do_(py!(session.flush().await)),
        do_(py!(session.rollback().await)),
        do_(py!(bind_tenant(session, border.ours).await)),
        assign(found, py!(select(AuditEvent).r#where(AuditEvent.target_id == row.id))),
        assert_(py!(session.scalar(found).await == None))
    ])])
}
