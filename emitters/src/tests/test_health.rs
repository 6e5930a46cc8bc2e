//! `backend/tests/test_health.py`: health.

use crate::app_main::create_app;
use crate::core::settings::Settings;
use crate::python::builtins::str;
use crate::python::httpx2::{ASGITransport, AsyncClient};
use crate::python::pytest::pytest;
use crate::spec::Spec;
use crate::tests::world::world_test;
use astgen_pyast::prelude::*;

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_health").docstring("Health.").body(block![
        test_alive_and_ready(spec),
        test_without_its_database_it_is_alive_but_not_ready()
    ])
}

fn test_alive_and_ready(spec: &Spec) -> FunctionDef {
    let title = spec.project.title.as_str();
    names!(world, live, ready, health);
    world_test("test_alive_and_ready").body(block![
        assign(live, py!(world.http.get("/health/live").await)),
        assert_(py!((live.status_code, live.json()) == (200, dict!("status" => "ok")))),
        assign(ready, py!(world.http.get("/health/ready").await)),
        assert_(py!(ready.status_code == 200)),
        assert_(
            py!(ready.json() == dict!("status" => "ok", "checks" => dict!("database" => "ok")))
        ),
        assign(health, py!(world.http.get("/health").await.json())),
        assert_(py!(health["status"] == "ok")),
        assert_(py!(health["name"] == title)),
        assert_(py!(health["version"] == "0.1.0")),
        assert_(py!(health["uptime_seconds"] > 0))
    ])
}

fn test_without_its_database_it_is_alive_but_not_ready() -> FunctionDef {
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
                py!(AsyncClient(transport = ASGITransport(app), base_url = "http://test")),
                http,
                block![
                    assert_(py!(http.get("/health/live").await.status_code == 200)),
                    assign(ready, py!(http.get("/health/ready").await)),
                    assign(health, py!(http.get("/health").await))
                ]
            ),
            assert_(py!(ready.status_code == 503)),
            assert_(py!(ready.json()
                == dict!("status" => "failed", "checks" => dict!("database" => "failed")))),
            assert_(py!(health.status_code == 200)),
            assert_(py!(health.json()["status"] == "failed"))
        ])
}
