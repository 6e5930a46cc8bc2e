//! `backend/tests/conftest.py`: the fixtures: a database, the application on it, and the world around it.

use crate::app_main::create_app;
use crate::core::feature_flags::Flag;
use crate::core::jobs::Dispatcher;
use crate::core::settings::{Environment, Settings, has_own_quota};
use crate::python::builtins::{int, list, object, str};
use crate::python::fastapi::FastAPI;
use crate::python::httpx2::{ASGITransport, AsyncClient, Response};
use crate::python::pydantic::SecretStr;
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{Connection, event};
use crate::python::standard::{AsyncGenerator, Generator, UUID, logging};
use crate::spec::{EmailBackend, Spec};
use crate::tests::border::{Border, border, settle_both};
use crate::tests::databases::{
    SERVER_URL, ScratchDatabase, migrate, postgresql_database, sqlite_database,
};
use crate::tests::fake_stripe::FakeStripe;
use crate::tests::files::{Files, files_of};
use crate::tests::receiver::Receiver;
use crate::tests::subject::subject;
use crate::tests::world::{WEBHOOK_SECRET, World};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core": feature_flags;
    "tests.conftest": SECRET_KEY, anyio_backend, _no_env_file, _no_chance, database, stripe, settings, app,
        statements, world, files, receiver;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.conftest")
        .docstring("The fixtures: a database, the application on it, and the world around it.")
        .body(block![
            assign(SECRET_KEY, "a secret that is long enough for tests"),
            anyio_backend_def(),
            _no_env_file_def(),
            log_as_it_was_def(),
            has_rollouts(spec).then(_no_chance_def),
            database_def(),
            spec.billing.as_ref().map(|_| stripe_def()),
            settings_def(spec),
            app_def(),
            statements_def(),
            world_def(spec),
            subject(spec).map(|_| border_def()),
            spec.storage.is_on().then(files_def),
            spec.webhooks.enabled.then(receiver_def)
        ])
}

fn anyio_backend_def() -> FunctionDef {
    def(anyio_backend).decorator(py!(pytest.fixture(scope = "session"))).returns(str).body(block![
        docstring("Run asynchronous tests on one loop of asyncio."),
        return_("asyncio")
    ])
}

fn _no_env_file_def() -> FunctionDef {
    names!(patch);
    def(_no_env_file)
        .decorator(py!(pytest.fixture(scope = "session", autouse = true)))
        .returns(py!(Generator[(None, None, None)]))
        .body(block![
            docstring("Keep the settings of the developer out of the tests."),
            with_as(
                py!(pytest.MonkeyPatch.context()),
                patch,
                block![
                    do_(py!(patch.setitem(Settings.model_config, "env_file", None))),
                    do_(yield_(None))
                ]
            )
        ])
}

fn log_as_it_was_def() -> FunctionDef {
    names!(root, application, handlers, level, handler);
    def("log_as_it_was")
        .decorator(py!(pytest.fixture))
        .returns(py!(Generator[(None, None, None)]))
        .body(block![
            docstring("Let a test set up the log, and set it up as before in the end."),
            assign(py!((root, application)), py!((logging.getLogger(), logging.getLogger("app")))),
            assign(py!((handlers, level)), py!((root.handlers.copy(), application.level))),
            do_(yield_(None)),
            for_(
                handler,
                root.attr("handlers"),
                [if_(py!(not_in!(handler, handlers)), [do_(py!(handler.close()))])]
            ),
            assign(py!(root.handlers), handlers),
            do_(py!(application.setLevel(level)))
        ])
}

/// Whether it is a payer's place among a hundred that decides of a flag.
fn has_rollouts(spec: &Spec) -> bool {
    let mut flags = spec.billing.iter().flat_map(|billing| &billing.flags);
    flags.any(|flag| (1..100).contains(&flag.rollout))
}

fn _no_chance_def() -> FunctionDef {
    names!(patch, first, _flag, _payer_id);
    def(_no_chance)
        .decorator(py!(pytest.fixture(scope = "session", autouse = true)))
        .returns(py!(Generator[(None, None, None)]))
        .body(block![
            docstring("Put everybody first in every rollout."),
            def(first)
                .params([param(_flag, Flag), param(_payer_id, UUID)])
                .returns(int)
                .body([return_(0)]),
            with_as(
                py!(pytest.MonkeyPatch.context()),
                patch,
                block![do_(py!(patch.setattr(feature_flags, "bucket", first))), do_(yield_(None))]
            )
        ])
}

fn database_def() -> FunctionDef {
    names!(tmp_path_factory, file, scratch);
    def(database)
        .decorator(py!(pytest.fixture(scope = "session")))
        .params([param(tmp_path_factory, py!(pytest.TempPathFactory))])
        .returns(py!(Generator[(ScratchDatabase, None, None)]))
        .body(block![
            docstring("Create and migrate a database."),
            if_(
                py!(SERVER_URL == None),
                block![
                    assign(
                        file,
                        py!(sqlite_database(tmp_path_factory.mktemp("database") / "test.db"))
                    ),
                    do_(py!(migrate(file))),
                    do_(py!(yield_!(file))),
                    return_none()
                ]
            ),
            with_as(
                py!(postgresql_database(SERVER_URL)),
                scratch,
                block![do_(py!(migrate(scratch))), do_(py!(yield_!(scratch)))]
            )
        ])
}

fn stripe_def() -> FunctionDef {
    names!(fake);
    async_def(stripe)
        .decorator(py!(pytest.fixture(scope = "session")))
        .params([param(anyio_backend, str)])
        .returns(py!(AsyncGenerator[(FakeStripe, None)]))
        .body(block![
            docstring("Start a Stripe of our own, and stop it in the end."),
            assert_that(py!(anyio_backend == "asyncio"), "aiohttp runs on nothing else"),
            assign(fake, py!(FakeStripe())),
            async_with(py!(fake.serving()), [do_(py!(yield_!(fake)))])
        ])
}

fn settings_of_stripe() -> [Arg; 4] {
    [
        kw("stripe_secret_key", py!(SecretStr("sk_test_fake"))),
        kw("stripe_api_base", py!(stripe.url)),
        kw("stripe_webhook_secrets", py!([SecretStr(WEBHOOK_SECRET)])),
        kw("billing_worker", false),
    ]
}

/// The megabytes that an organization may keep in the tests, where no plan says how many.
pub const STORAGE_QUOTA_OF_TESTS: u32 = 100;

fn settings_def(spec: &Spec) -> FunctionDef {
    let mail = (spec.email.backend == EmailBackend::Smtp).then(|| kw("smtp_host", "mail.invalid"));
    let maintenance = spec.tenancy.row_level_security;
    let maintenance = maintenance.then(|| kw("maintenance_database_url", py!(database.owner_url)));
    let of_stripe = spec.billing.iter().flat_map(|_| settings_of_stripe());
    let has_files = spec.storage.is_on();
    names!(tmp_path_factory);
    let quota = has_own_quota(spec).then(|| kw("storage_quota_megabytes", STORAGE_QUOTA_OF_TESTS));
    let folder =
        has_files.then(|| kw("storage_folder", py!(str(tmp_path_factory.mktemp("files")))));
    let reachable = spec.webhooks.enabled.then(|| kw("webhook_private_addresses", true));
    def(settings)
        .decorator(py!(pytest.fixture(scope = "session")))
        .params([param(database, ScratchDatabase)])
        .params(spec.billing.iter().map(|_| param(stripe, FakeStripe)))
        .params(has_files.then(|| param(tmp_path_factory, py!(pytest.TempPathFactory))))
        .returns(Settings)
        .body(block![
            docstring(match spec.billing {
                Some(_) =>
                    "Make passwords cheap and Stripe work; events wait until a test lets them.",
                None => "Make passwords cheap.",
            }),
            return_(py!(Settings(
                environment = Environment.TEST,
                secret_key = SecretStr(SECRET_KEY),
                database_url = database.app_url,
                ..maintenance,
                password_time_cost = 1,
                password_memory_kib = 8,
                job_poll_seconds = 0,
                rate_limiting = false,
                ..mail,
                ..folder,
                ..quota,
                ..reachable,
                ..of_stripe
            )))
        ])
}

fn app_def() -> FunctionDef {
    async_def(app)
        .decorator(py!(pytest.fixture(scope = "session")))
        .params([param(settings, Settings)])
        .returns(py!(AsyncGenerator[(FastAPI, None)]))
        .body(block![
            docstring("Start the application, and stop it in the end."),
            assign(app, py!(create_app(settings))),
            async_with(py!(app.router.lifespan_context(app)), [do_(py!(yield_!(app)))])
        ])
}

fn statements_def() -> FunctionDef {
    names!(sent, note, engine);
    def(statements)
        .decorator(py!(pytest.fixture))
        .params([param(world, World)])
        .returns(py!(Generator[(list[str], None, None)]))
        .body(block![
            docstring("Collect the statements that the application sends."),
            ann_assign(sent, py!(list[str]), py!([])),
            {
                names!(_on, _cursor, statement);
                def(note)
                    .params([
                        param(_on, Connection),
                        param(_cursor, object),
                        param(statement, str),
                        varargs(name("_"), object),
                    ])
                    .returns(none())
                    .body([do_(py!(sent.append(statement)))])
            },
            assign(engine, py!(world.database.engine.sync_engine)),
            do_(py!(event.listen(engine, "before_cursor_execute", note))),
            do_(py!(yield_!(sent))),
            do_(py!(event.remove(engine, "before_cursor_execute", note)))
        ])
}

fn world_def(spec: &Spec) -> FunctionDef {
    names!(transport, dispatcher, wait_for_jobs, _response, http);
    let of_stripe = spec.billing.iter().map(|_| arg(stripe));
    async_def(world)
        .decorator(py!(pytest.fixture))
        .params([param(app, FastAPI)])
        .params(spec.billing.iter().map(|_| param(stripe, FakeStripe)))
        .returns(py!(AsyncGenerator[(World, None)]))
        .body(block![
            docstring("Talk to the application from outside; leave it as empty as it was."),
            spec.billing.as_ref().map(|_| do_(py!(stripe.reset()))),
            assign(transport, py!(ASGITransport(app = app, raise_app_exceptions = false))),
            ann_assign(dispatcher, Dispatcher, py!(app.state.dispatcher)),
            async_def(wait_for_jobs)
                .params([param(_response, Response)])
                .returns(none())
                .body([do_(py!(dispatcher.drain().await))]),
            async_with_as(
                py!(AsyncClient(
                    transport = transport,
                    base_url = "http://test",
                    event_hooks = dict!("response" => [wait_for_jobs])
                )),
                http,
                block![
                    assign(world, py!(World(app, http, ..of_stripe))),
                    do_(py!(yield_!(world))),
                    do_(py!(world.forget().await))
                ]
            )
        ])
}

fn files_def() -> FunctionDef {
    async_def(files)
        .decorator(py!(pytest.fixture))
        .params([param(world, World)])
        .returns(Files)
        .body(block![
            docstring("Sign somebody up who has files."),
            return_(py!(files_of(world, world.sign_up("ada@example.com").await).await))
        ])
}

fn receiver_def() -> FunctionDef {
    async_def(receiver)
        .decorator(py!(pytest.fixture))
        .params([param(anyio_backend, str)])
        .returns(py!(AsyncGenerator[(Receiver, None)]))
        .body(block![
            docstring("Start somebody else's program, which takes webhooks."),
            assert_that(py!(anyio_backend == "asyncio"), "aiohttp runs on nothing else"),
            assign(receiver, py!(Receiver())),
            async_with(py!(receiver.serving()), [do_(py!(yield_!(receiver)))])
        ])
}

fn border_def() -> FunctionDef {
    async_def(border)
        .decorator(py!(pytest.fixture))
        .params([param(world, World)])
        .returns(Border)
        .body(block![
            docstring("Found two organizations to keep apart."),
            return_(py!(settle_both(world.database).await))
        ])
}
