//! `backend/tests/test_health.py`: health.

use crate::app_main::create_app;
use crate::core::settings::{Environment, Settings};
use crate::python::builtins::{len, list, range, str};
use crate::python::pydantic::SecretStr;
use crate::python::pytest::pytest;
use crate::python::standard::{Path, asyncio, gc};
use crate::spec::Spec;
use crate::tests::servers::serving;
use crate::tests::world::world_test;
use astgen_pyast::make;
use astgen_pyast::prelude::*;

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_health").docstring("Health.").body(block![
        test_alive_and_ready(spec),
        test_without_its_database_it_is_alive_but_not_ready(spec),
        test_production_tells_details_to_who_has_the_token(),
        test_who_asks_at_once_shares_an_answer(),
        test_no_collection_goes_through_the_application(),
        spec.storage.is_on().then(test_without_its_folder_the_rest_is_served),
        spec.jobs.has_workers().then(|| test_without_its_queue_the_rest_is_served(spec))
    ])
}

/// The checks where only the database may fail, and with it what is asked of it.
fn checks(spec: &Spec, database: &str) -> Expr {
    let storage = spec.storage.is_on().then_some(("storage", "ok"));
    make::dict([("database", database), ("migrations", database)].into_iter().chain(storage))
}

fn test_alive_and_ready(spec: &Spec) -> FunctionDef {
    let title = spec.project.title.as_str();
    let checks = checks(spec, "ok");
    names!(world, live, ready, health);
    world_test("test_alive_and_ready").body(block![
        assign(live, py!(world.http.get("/health/live").await)),
        assert_(py!((live.status_code, live.json()) == (200, dict!("status" => "ok")))),
        assign(ready, py!(world.http.get("/health/ready").await)),
        assert_(py!(ready.status_code == 200)),
        assert_(py!(ready.json() == dict!("status" => "ok", "checks" => checks))),
        assign(health, py!(world.http.get("/health").await.json())),
        assert_(py!(health["status"] == "ok")),
        assert_(py!(health["name"] == title)),
        assert_(py!(health["version"] == "0.1.0")),
        assert_(py!(health["uptime_seconds"] > 0))
    ])
}

fn test_without_its_database_it_is_alive_but_not_ready(spec: &Spec) -> FunctionDef {
    let checks = checks(spec, "failed");
    names!(settings, url, app, http, ready, health);
    async_def("test_without_its_database_it_is_alive_but_not_ready")
        .decorator(py!(pytest.mark.parametrize(
            "url",
            [
                "sqlite+aiosqlite:////nowhere/at/all.db",
                "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"
            ]
        )))
        .params([param(settings, Settings), param(url, str)])
        .returns(none())
        .body(block![
            assign(
                app,
                py!(create_app(settings.model_copy(update = dict!("database_url" => url))))
            ),
            async_with_as(
                py!(serving(app)),
                http,
                block![
                    assert_(py!(http.get("/health/live").await.status_code == 200)),
                    assign(ready, py!(http.get("/health/ready").await)),
                    assign(health, py!(http.get("/health").await))
                ]
            ),
            assert_(py!(ready.status_code == 503)),
            assert_(py!(ready.json() == dict!("status" => "failed", "checks" => checks))),
            assert_(py!(health.status_code == 200)),
            assert_(py!(health.json()["status"] == "failed"))
        ])
}

fn test_production_tells_details_to_who_has_the_token() -> FunctionDef {
    names!(settings, token, sent, told, update, app, http, path, headers, answer);
    let cases = [
        py!((None, "a token", "status")),
        py!(("a token", None, "status")),
        py!(("a token", "another", "status")),
        py!(("a token", "a token", "checks")),
    ];
    let secret = py!(if token { SecretStr(token) } else { None });
    async_def("test_production_tells_details_to_who_has_the_token")
        .decorator(py!(pytest.mark.parametrize(("token", "sent", "told"), { make::list(cases) })))
        .params([
            param(settings, Settings),
            param(token, py!(str | None)),
            param(sent, py!(str | None)),
            param(told, str),
        ])
        .returns(none())
        .body(block![
            assign(
                update,
                py!(dict!("environment" => Environment.PRODUCTION, "health_token" => secret))
            ),
            assign(app, py!(create_app(settings.model_copy(update = update)))),
            assign(
                headers,
                py!(if sent { dict!("Authorization" => f!("Bearer {}", sent)) } else { dict!() })
            ),
            async_with_as(
                py!(serving(app)),
                http,
                [for_(
                    path,
                    py!(("/health", "/health/ready")),
                    block![
                        assign(answer, py!(http.get(path, headers = headers).await)),
                        assert_(py!(answer.status_code == 200)),
                        assert_(py!(answer.json()["status"] == "ok")),
                        assert_(py!(in_!(told, answer.json()))),
                        assert_(py!(len(answer.json()) == 1 || told == "checks"))
                    ]
                )]
            )
        ])
}

fn test_who_asks_at_once_shares_an_answer() -> FunctionDef {
    names!(world, statements, monkeypatch, answers);
    world_test("test_who_asks_at_once_shares_an_answer")
        .params([param(statements, py!(list[str])), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            assign(py!(world.app.state.probes.found), none()),
            do_(py!(monkeypatch.setattr("app.services.probes.FRESH_SECONDS", 60))),
            assign(
                answers,
                py!(asyncio
                    .gather(*list!(world.http.get("/health/ready") for _ in range(10)))
                    .await)
            ),
            assert_(py!(set!(answer.status_code for answer in answers) == set!(200))),
            assert_(py!(statements.count("SELECT 1") == 1))
        ])
}

fn test_without_its_folder_the_rest_is_served() -> FunctionDef {
    names!(settings, tmp_path, file, app, http, ready);
    async_def("test_without_its_folder_the_rest_is_served")
        .params([param(settings, Settings), param(tmp_path, Path)])
        .returns(none())
        .body(block![
            assign(file, py!(tmp_path / "file")),
            do_(py!(file.touch())),
            assign(
                app,
                py!(create_app(
                    settings.model_copy(update = dict!("storage_folder" => str(file / "files")))
                ))
            ),
            async_with_as(
                py!(serving(app)),
                http,
                [assign(ready, py!(http.get("/health/ready").await))]
            ),
            assert_(py!(ready.status_code == 200)),
            assert_(py!(ready.json()["status"] == "degraded")),
            assert_(py!(ready.json()["checks"]
                == dict!("database" => "ok", "migrations" => "ok", "storage" => "failed")))
        ])
}

fn test_without_its_queue_the_rest_is_served(spec: &Spec) -> FunctionDef {
    let storage = spec.storage.is_on().then_some(("storage", "ok"));
    let checks = [("database", "ok"), ("migrations", "ok")].into_iter().chain(storage);
    let checks = make::dict(checks.chain([("queue", "failed")]));
    names!(settings, nobody, app, http, ready);
    async_def("test_without_its_queue_the_rest_is_served")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(nobody, py!(SecretStr("redis://127.0.0.1:1"))),
            assign(
                app,
                py!(create_app(settings.model_copy(update = dict!("redis_url" => nobody))))
            ),
            async_with_as(
                py!(serving(app)),
                http,
                [assign(ready, py!(http.get("/health/ready").await))]
            ),
            assert_(py!(ready.status_code == 200)),
            assert_(py!(ready.json() == dict!("status" => "degraded", "checks" => checks)))
        ])
}

fn test_no_collection_goes_through_the_application() -> FunctionDef {
    names!(settings, app, http, before, made);
    async_def("test_no_collection_goes_through_the_application")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(app, py!(create_app(settings))),
            async_with(
                py!(app.router.lifespan_context(app)),
                block![
                    assign(before, py!(len(gc.get_objects()))),
                    assert_(py!(http.get("/health/live").await.status_code == 200)),
                    assign(made, py!(len(gc.get_objects()) - before))
                ]
            )
            .and_as(py!(serving(app)), http),
            assert_(py!(gc.get_freeze_count() > 100_000)),
            assert_(py!(made < 10_000))
        ])
}
