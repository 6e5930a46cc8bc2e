//! `backend/tests/test_database.py`: the database: when a request commits, and what a column gives back.

use crate::app_main::create_app;
use crate::core::database::{Database, DatabaseRoleError, SessionDep};
use crate::core::settings::{Environment, Settings};
use crate::migrations::sql::identifier;
use crate::models::package::{Organization, User};
use crate::models::types::{ExactDecimal, UTCDateTime};
use crate::python::anyio::anyio;
use crate::python::builtins::{RuntimeError, ValueError, int, isinstance, range, str};
use crate::python::httpx2::AsyncClient;
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{func, make_url, select};
use crate::python::standard::{AsyncGenerator, Decimal, UTC, datetime, timedelta, timezone};
use crate::spec::{Payer, Spec};
use crate::tests::databases::{ScratchDatabase, execute};
use crate::tests::servers::serving;
use crate::tests::world::world_test;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_database": SQLITE, POSTGRESQL, add_and_fail, add_what_cannot_be_committed, http,
        count_organizations, check_role;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_database")
        .docstring("The database: when a request commits, and what a column gives back.")
        .body(block![
            assign(SQLITE, py!(make_url("sqlite://").get_dialect()())),
            assign(POSTGRESQL, py!(make_url("postgresql://").get_dialect()())),
            add_and_fail_def(),
            add_what_cannot_be_committed_def(spec),
            http_def(),
            count_organizations_def(),
            test_an_error_rolls_back(),
            test_a_lock_is_held_until_the_commit(),
            test_times_come_back_in_utc(spec),
            test_a_time_without_a_zone_is_refused(),
            test_decimals_are_exact_on_sqlite(),
            test_decimals_are_numeric_on_postgresql(),
            spec.tenancy.row_level_security.then(|| block![
                test_production_refuses_a_role_that_sees_everything(),
                spec.entities
                    .first()
                    .map(|one| test_production_refuses_a_table_without_policies(&one.names.table)),
                test_work_across_tenants_needs_a_role(),
                check_role_def()
            ])
        ])
}

fn add_and_fail_def() -> FunctionDef {
    names!(session);
    async_def(add_and_fail).params([param(session, SessionDep)]).returns(none()).body(block![
        docstring("Add a row and fail."),
        do_(py!(session.add(Organization(name = "x")))),
        do_(py!(session.flush().await)),
        raise(RuntimeError)
    ])
}

fn add_what_cannot_be_committed_def(spec: &Spec) -> FunctionDef {
    names!(session);
    let clashing = |name: &str| match spec.has_payer(Payer::Organization) {
        true => py!(Organization(name = name, stripe_customer_id = "cus_1")),
        false => py!(User(email = "ada@example.com", password_hash = name)),
    };
    async_def(add_what_cannot_be_committed)
        .params([param(session, SessionDep)])
        .returns(none())
        .body(block![
            docstring("Add rows that clash when they are written, which is at the commit."),
            do_(py!(session.add({ clashing("x") }))),
            do_(py!(session.add({ clashing("y") })))
        ])
}

fn http_def() -> FunctionDef {
    names!(settings, app);
    async_def(http)
        .decorator(py!(pytest.fixture))
        .params([param(settings, Settings)])
        .returns(py!(AsyncGenerator[(AsyncClient, None)]))
        .body(block![
            assign(app, py!(create_app(settings))),
            do_(py!(app.add_api_route("/tests/fail", add_and_fail, methods = ["POST"]))),
            do_(py!(app.add_api_route(
                "/tests/clash",
                add_what_cannot_be_committed,
                methods = ["POST"]
            ))),
            async_with_as(py!(serving(app)), http, [do_(py!(yield_!(http)))])
        ])
}

fn count_organizations_def() -> FunctionDef {
    names!(database, session, statement);
    async_def(count_organizations).params([param(database, Database)]).returns(int).body(block![
        docstring("Count the organizations."),
        async_with_as(
            py!(database.session()),
            session,
            block![
                assign(statement, py!(select(func.count()).select_from(Organization))),
                return_(py!(session.scalars(statement).await.one()))
            ]
        )
    ])
}

fn test_an_error_rolls_back() -> FunctionDef {
    names!(world, path);
    world_test("test_an_error_rolls_back")
        .decorator(py!(pytest.mark.parametrize("path", ["/tests/fail", "/tests/clash"])))
        .params([param(http, AsyncClient), param(path, str)])
        .body(block![
            assert_(py!(http.post(path).await.status_code == 500)),
            assert_(py!(count_organizations(world.database).await == 0))
        ])
}

fn test_a_lock_is_held_until_the_commit() -> FunctionDef {
    names!(world, organization, session, increment, tasks);
    world_test("test_a_lock_is_held_until_the_commit").body(block![
        assign(organization, py!(Organization(name = "0"))),
        async_with_as(
            py!(world.database.session()),
            session,
            block![do_(py!(session.add(organization))), do_(py!(session.commit().await))]
        ),
        {
            names!(session, row, number);
            async_def(increment).returns(none()).body([async_with_as(
                py!(world.database.session()),
                session,
                block![
                    assign(
                        row,
                        py!(session
                            .get_one(Organization, organization.id, with_for_update = true)
                            .await)
                    ),
                    assign(number, py!(int(row.name))),
                    do_(py!(anyio.sleep(0.001).await)),
                    assign(py!(row.name), py!(str(number + 1))),
                    do_(py!(session.commit().await))
                ],
            )])
        },
        async_with_as(
            py!(anyio.create_task_group()),
            tasks,
            for_(py!(_), py!(range(8)), [do_(py!(tasks.start_soon(increment)))])
        ),
        async_with_as(
            py!(world.database.session()),
            session,
            [assert_(py!(session.get_one(Organization, organization.id).await.name == "8"))]
        )
        .paragraph()
    ])
}

fn test_times_come_back_in_utc(spec: &Spec) -> FunctionDef {
    names!(world, noon, organization, user, session, read, trial_ends_at, email_verified_at);
    let (row, model, column, made) = match spec.has_payer(Payer::Organization) {
        true => {
            let made = py!(Organization(name = "x", trial_ends_at = noon));
            (organization, Organization, trial_ends_at, made)
        }
        false => {
            let hash = "x";
            let made =
                py!(User(email = "x@example.com", password_hash = hash, email_verified_at = noon));
            (user, User, email_verified_at, made)
        }
    };
    let time = &read.attr(column);
    world_test("test_times_come_back_in_utc").body(block![
        assign(noon, py!(datetime(2026, 1, 31, 12, tzinfo = timezone(timedelta(hours = 2))))),
        assign(row, made),
        async_with_as(
            py!(world.database.session()),
            session,
            [do_(py!(session.add(row))), do_(py!(session.commit().await))]
        ),
        async_with_as(
            py!(world.database.session()),
            session,
            [assign(read, py!(session.get_one(model, row.id).await))]
        ),
        assert_(py!(time == noon)),
        assert_(py!(time != None)),
        assert_(py!(is_!(time.tzinfo, UTC)))
    ])
}

fn test_a_time_without_a_zone_is_refused() -> FunctionDef {
    names!(naive);
    def("test_a_time_without_a_zone_is_refused").returns(none()).body(block![
        assign(naive, py!(datetime(2026, 1, 31, 12, tzinfo = UTC).replace(tzinfo = None))),
        with(
            py!(pytest.raises(ValueError, r#match = "time zone")),
            [do_(py!(UTCDateTime().process_bind_param(naive, SQLITE)))]
        )
    ])
}

fn test_decimals_are_exact_on_sqlite() -> FunctionDef {
    names!(digits, column, stored, read);
    def("test_decimals_are_exact_on_sqlite")
        .decorator(py!(pytest
            .mark
            .parametrize("digits", ["0.01", "-0.01", "9999999999.99", "12.30", "0.00"])))
        .params([param(digits, str)])
        .returns(none())
        .body(block![
            assign(column, py!(ExactDecimal(12, 2))),
            assign(stored, py!(column.process_bind_param(Decimal(digits), SQLITE))),
            assert_(py!(isinstance(stored, int))),
            assign(read, py!(column.process_result_value(stored, SQLITE))),
            assert_(py!(str(read) == digits))
        ])
}

fn test_decimals_are_numeric_on_postgresql() -> FunctionDef {
    names!(column);
    def("test_decimals_are_numeric_on_postgresql").returns(none()).body(block![
        assign(column, py!(ExactDecimal(12, 2))),
        assert_(py!(str(column.compile(dialect = POSTGRESQL)) == "NUMERIC(12, 2)")),
        assert_(py!(column.process_bind_param(Decimal("1.5"), POSTGRESQL) == Decimal("1.5")))
    ])
}

fn skip_without_roles() -> If {
    names!(database);
    if_(
        py!(!database.owner_url.startswith("postgresql")),
        [do_(py!(pytest.skip("only PostgreSQL has roles")))],
    )
}

/// `with pytest.raises(DatabaseRoleError, match=…): await check_role(…)`
fn role_refused(settings: Expr, reason: &str) -> With {
    let raises = py!(pytest.raises(DatabaseRoleError, r#match = reason));
    with(raises, [do_(py!(check_role(settings).await))])
}

fn test_production_refuses_a_role_that_sees_everything() -> FunctionDef {
    names!(settings, database, owner, production);
    async_def("test_production_refuses_a_role_that_sees_everything")
        .params([param(settings, Settings), param(database, ScratchDatabase)])
        .returns(none())
        .body(block![
            skip_without_roles(),
            assign(owner, py!(dict!("database_url" => database.owner_url))),
            do_(py!(check_role(settings.model_copy(update = owner)).await)),
            assign(production, py!(dict!("environment" => Environment.PRODUCTION))),
            do_(py!(check_role(settings.model_copy(update = production)).await)),
            role_refused(py!(settings.model_copy(update = owner | production)), "bypasses")
        ])
}

fn test_production_refuses_a_table_without_policies(table: &str) -> FunctionDef {
    names!(settings, database, production, switch);
    let switch_def = {
        names!(on, url);
        let statement = f_string([
            string(format!("ALTER TABLE {} ", identifier(table))),
            formatted(on),
            string(" ROW LEVEL SECURITY"),
        ]);
        async_def(switch).params([param(on, str)]).returns(none()).body(block![
            assign(url, py!(make_url(database.owner_url))),
            do_(py!(execute(url, statement).await))
        ])
    };
    async_def("test_production_refuses_a_table_without_policies")
        .params([param(settings, Settings), param(database, ScratchDatabase)])
        .returns(none())
        .body(block![
            skip_without_roles(),
            switch_def,
            assign(production, py!(dict!("environment" => Environment.PRODUCTION))).paragraph(),
            do_(py!(switch("DISABLE").await)),
            try_([role_refused(py!(settings.model_copy(update = production)), table)])
                .finally([do_(py!(switch("ENABLE").await))])
        ])
}

fn test_work_across_tenants_needs_a_role() -> FunctionDef {
    names!(settings, database, held, session, sessions);
    let without = py!(settings.model_copy(update = dict!("maintenance_database_url" => None)));
    async_def("test_work_across_tenants_needs_a_role")
        .params([param(settings, Settings), param(database, ScratchDatabase)])
        .returns(none())
        .body(block![
            skip_without_roles(),
            assign(held, py!(Database({ without }))),
            assign(sessions, py!(held.all_tenants_session(reason = "a test"))),
            with(py!(pytest.raises(DatabaseRoleError)), [do_(py!(sessions.__aenter__().await))]),
            do_(py!(held.close().await))
        ])
}

fn check_role_def() -> FunctionDef {
    names!(settings, database);
    async_def(check_role).params([param(settings, Settings)]).returns(none()).body(block![
        docstring("Check the role in the settings."),
        assign(database, py!(Database(settings))),
        try_([do_(py!(database.check_role().await))]).finally([do_(py!(database.close().await))])
    ])
}
