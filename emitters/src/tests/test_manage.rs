//! `backend/tests/test_manage.py`: the product from a shell.

use crate::core::sealing::Sealer;
use crate::core::settings::Settings;
use crate::manage::{IS_THERE, run};
use crate::models::base::utcnow;
use crate::models::email::{Email, EmailSuppression};
use crate::models::job::{Job, JobStatus};
use crate::models::totp::TotpFactor;
use crate::models::user::User;
use crate::models::webhook::WebhookEndpoint;
use crate::python::builtins::{object, str};
use crate::python::fastapi::FastAPI;
use crate::python::httpx2::Response;
use crate::python::pydantic::SecretStr;
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::select;
use crate::python::standard::{UUID, json, timedelta};
use crate::spec::Spec;
use crate::tests::world::{PASSWORD, World, first_organization, sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_manage": OWNER, log_in, job_with;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_manage").docstring("The product from a shell.").body(block![
        assign(OWNER, "owner@example.com"),
        log_in_def(),
        test_an_owner_can_sign_in_and_owns_an_organization(),
        test_a_password_is_made_where_none_is_given(),
        test_an_account_that_is_there_stays(),
        test_a_weak_password_is_refused(),
        spec.auth.has_totp().then(|| [
            test_what_an_earlier_secret_sealed_is_sealed_again(),
            test_what_no_secret_opens_is_named()
        ]),
        spec.webhooks.enabled.then(test_the_secrets_of_webhooks_are_sealed_again),
        job_with_def(),
        test_dead_jobs_are_listed_and_tried_again(),
        test_dead_jobs_can_be_set_aside(),
        test_an_address_can_be_sent_mail_again(),
        test_the_sweeper_runs_at_once(),
        test_mail_that_was_never_sent_goes_too(),
        test_the_interface_is_described()
    ])
}

fn log_in_def() -> FunctionDef {
    names!(world, password);
    async_def(log_in).params([param(world, World), param(password, str)]).returns(Response).body(
        block![
            docstring("Sign the owner in."),
            return_(py!(world
                .http
                .post("/auth/login", json = dict!("email" => OWNER, "password" => password))
                .await))
        ],
    )
}

fn test_an_owner_can_sign_in_and_owns_an_organization() -> FunctionDef {
    names!(world, settings, monkeypatch, owner, organizations, found);
    world_test("test_an_owner_can_sign_in_and_owns_an_organization")
        .params([param(settings, Settings), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            do_(py!(monkeypatch.setenv("OWNER_PASSWORD", PASSWORD))),
            assert_(py!(run(
                settings,
                ["create-owner", OWNER, "--organization", "The Works", "--admin"]
            )
            .await
                == 0)),
            assign(owner, py!(world.sign_in(OWNER).await)),
            assign(found, py!(owner.get("/organizations").await)),
            assign(organizations, py!(found.json()["items"])),
            assert_(
                py!(list!(it["organization"]["name"] for it in organizations) == ["The Works"])
            ),
            assert_(py!(list!(it["role"] for it in organizations) == ["owner"]))
        ])
}

fn test_a_password_is_made_where_none_is_given() -> FunctionDef {
    names!(world, settings, capsys, password);
    world_test("test_a_password_is_made_where_none_is_given")
        .params([param(settings, Settings), param(capsys, py!(pytest.CaptureFixture[str]))])
        .body(block![
            assert_(py!(run(settings, ["create-owner", OWNER]).await == 0)),
            assign(password, py!(capsys.readouterr().out.split()[-1])),
            assert_(py!(log_in(world, password).await.status_code == 200))
        ])
}

fn test_an_account_that_is_there_stays() -> FunctionDef {
    names!(world, settings, owner, session, user, statement);
    world_test("test_an_account_that_is_there_stays").params([param(settings, Settings)]).body(
        block![
            sign_up(world, owner),
            assert_(py!(run(settings, ["create-owner", OWNER, "--admin"]).await == IS_THERE)),
            assign(statement, py!(select(User).r#where(User.email == owner.email))),
            async_with_as(
                py!(world.database.session()),
                session,
                [assign(user, py!(session.scalars(statement).await.one()))]
            ),
            assert_(py!(user.role == "user")),
            assert_(py!(log_in(world, PASSWORD).await.status_code == 200))
        ],
    )
}

fn test_a_weak_password_is_refused() -> FunctionDef {
    names!(world, settings, monkeypatch, capsys);
    world_test("test_a_weak_password_is_refused")
        .params([
            param(settings, Settings),
            param(monkeypatch, py!(pytest.MonkeyPatch)),
            param(capsys, py!(pytest.CaptureFixture[str])),
        ])
        .body(block![
            do_(py!(monkeypatch.setenv("OWNER_PASSWORD", "secret"))),
            assert_(py!(run(settings, ["create-owner", OWNER]).await == 1)),
            assert_(py!(capsys.readouterr().out.startswith("password: "))),
            assert_(py!(log_in(world, "secret").await.status_code == 401))
        ])
}

/// Adds a factor whose secret is sealed with another key.
fn factor_of_another_key(world: Name, user: Name, factor: Name, other: Name) -> Vec<Stmt> {
    names!(session);
    block![
        do_(py!(world.register("ada@example.com").await)),
        assign(
            other,
            py!(world.app.state.settings.model_copy(
                update = dict!("secret_key" => SecretStr("another secret that is long enough"))
            ))
        ),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                assign(user, py!(session.scalars(select(User)).await.one())),
                assign(
                    factor,
                    py!(TotpFactor(
                        user_id = user.id,
                        sealed_secret = Sealer(other).seal("the secret")
                    ))
                ),
                do_(py!(session.add(factor))),
                do_(py!(session.commit().await))
            ]
        ),
    ]
}

fn test_what_an_earlier_secret_sealed_is_sealed_again() -> FunctionDef {
    names!(world, settings, user, factor, other, rotated, session, sealed);
    world_test("test_what_an_earlier_secret_sealed_is_sealed_again")
        .params([param(settings, Settings)])
        .body(block![
            factor_of_another_key(world, user, factor, other),
            assign(
                rotated,
                py!(settings
                    .model_copy(update = dict!("previous_secret_keys" => [other.secret_key])))
            ),
            assert_(py!(run(rotated, ["rotate-keys"]).await == 0)),
            async_with_as(
                py!(world.database.session()),
                session,
                [assign(
                    sealed,
                    py!(session.scalars(select(TotpFactor.sealed_secret)).await.one())
                )]
            ),
            assert_(py!(Sealer(settings).open(sealed) == "the secret"))
        ])
}

fn test_what_no_secret_opens_is_named() -> FunctionDef {
    names!(world, settings, user, factor, other, capsys);
    world_test("test_what_no_secret_opens_is_named")
        .params([param(settings, Settings), param(capsys, py!(pytest.CaptureFixture[str]))])
        .body(block![
            factor_of_another_key(world, user, factor, other),
            assert_(py!(run(settings, ["rotate-keys"]).await == 1)),
            assert_(py!(in_!(str(factor.id), capsys.readouterr().out)))
        ])
}

fn test_the_secrets_of_webhooks_are_sealed_again() -> FunctionDef {
    names!(world, settings, ada, organization_id, path, made, later, both, sealed, session);
    world_test("test_the_secrets_of_webhooks_are_sealed_again")
        .params([param(settings, Settings)])
        .body(block![
            sign_up(world, ada),
            first_organization(ada, organization_id),
            assign(path, py!(f!("/organizations/{}/webhook-endpoints", organization_id))),
            assign(made, py!(ada.post(path, dict!("url" => "https://example.com/hook")).await)),
            assign(
                later,
                py!(settings.model_copy(
                    update = dict!("secret_key" => SecretStr("another secret that is long enough"))
                ))
            ),
            assign(
                both,
                py!(later
                    .model_copy(update = dict!("previous_secret_keys" => [settings.secret_key])))
            ),
            assert_(py!(run(both, ["rotate-keys"]).await == 0)),
            async_with_as(
                py!(world.database.tenant_session(UUID(organization_id))),
                session,
                [assign(
                    sealed,
                    py!(session.scalars(select(WebhookEndpoint.sealed_secret)).await.one())
                )]
            ),
            assert_(py!(Sealer(later).open(sealed) == made.json()["secret"]))
        ])
}

fn job_with_def() -> FunctionDef {
    names!(world, values, job, session);
    async_def(job_with).params([param(world, World), kwargs(values, object)]).returns(UUID).body(
        block![
            docstring("Add a job of the platform."),
            assign(
                job,
                py!(Job(
                    kind = "prune",
                    payload = dict!(),
                    max_attempts = 1,
                    run_at = utcnow(),
                    request_id = "-",
                    **values
                ))
            ),
            async_with_as(
                py!(world.database.session()),
                session,
                block![do_(py!(session.add(job))), do_(py!(session.commit().await))]
            ),
            return_(py!(job.id))
        ],
    )
}

/// `async with world.database.session() as session: job = await session.get_one(Job, job_id)`
fn read_job() -> With {
    names!(world, session, job, job_id);
    async_with_as(
        py!(world.database.session()),
        session,
        [assign(job, py!(session.get_one(Job, job_id).await))],
    )
}

fn test_dead_jobs_are_listed_and_tried_again() -> FunctionDef {
    names!(world, settings, capsys, job_id, job);
    world_test("test_dead_jobs_are_listed_and_tried_again")
        .params([param(settings, Settings), param(capsys, py!(pytest.CaptureFixture[str]))])
        .body(block![
            assign(
                job_id,
                py!(job_with(world, status = JobStatus.DEAD, attempts = 1, error = "OSError").await)
            ),
            assert_(py!(run(settings, ["dead-jobs"]).await == 0)),
            assert_(py!(capsys.readouterr().out == f!("{} prune platform: OSError\n", job_id))),
            assert_(py!(run(settings, ["retry-jobs", str(job_id)]).await == 0)),
            read_job(),
            assert_(py!((job.status, job.attempts) == (JobStatus.QUEUED, 0))),
            assert_(py!(job.dispatched_at == None)),
            assert_(py!(run(settings, ["retry-jobs", str(job_id)]).await == 1))
        ])
}

fn test_dead_jobs_can_be_set_aside() -> FunctionDef {
    names!(world, settings, job_id, job);
    world_test("test_dead_jobs_can_be_set_aside").params([param(settings, Settings)]).body(block![
        assign(job_id, py!(job_with(world, status = JobStatus.DEAD).await)),
        assert_(py!(run(settings, ["cancel-jobs", str(job_id)]).await == 0)),
        read_job(),
        assert_(py!(job.status == JobStatus.CANCELED)),
        assert_(py!(run(settings, ["cancel-jobs", str(job_id)]).await == 1))
    ])
}

fn test_an_address_can_be_sent_mail_again() -> FunctionDef {
    names!(world, settings, session);
    let refused = py!(EmailSuppression(address = OWNER, reason = "550 no such user"));
    world_test("test_an_address_can_be_sent_mail_again").params([param(settings, Settings)]).body(
        block![
            async_with_as(
                py!(world.database.session()),
                session,
                block![do_(py!(session.add(refused))), do_(py!(session.commit().await))]
            ),
            assert_(py!(run(settings, ["allow-mail", "Owner@Example.com"]).await == 0)),
            assert_(py!(run(settings, ["allow-mail", OWNER]).await == 1))
        ],
    )
}

fn test_mail_that_was_never_sent_goes_too() -> FunctionDef {
    names!(world, settings, session, mail, left);
    let old = py!(Email(
        recipient = OWNER,
        subject = "Hello",
        sealed_message = "sealed",
        created_at = utcnow() - timedelta(days = 31)
    ));
    world_test("test_mail_that_was_never_sent_goes_too").params([param(settings, Settings)]).body(
        block![
            assign(mail, old),
            async_with_as(
                py!(world.database.session()),
                session,
                block![do_(py!(session.add(mail))), do_(py!(session.commit().await))]
            ),
            assert_(py!(run(settings, ["run-sweeper"]).await == 0)),
            async_with_as(
                py!(world.database.session()),
                session,
                [assign(left, py!(session.get(Email, mail.id).await))]
            ),
            assert_(py!(left == None))
        ],
    )
}

fn test_the_sweeper_runs_at_once() -> FunctionDef {
    names!(world, settings, session, left, old);
    world_test("test_the_sweeper_runs_at_once").params([param(settings, Settings)]).body(block![
        assign(
            old,
            py!(job_with(
                world,
                status = JobStatus.SUCCEEDED,
                finished_at = utcnow() - timedelta(days = 31)
            )
            .await)
        ),
        assert_(py!(run(settings, ["run-sweeper"]).await == 0)),
        async_with_as(
            py!(world.database.session()),
            session,
            [assign(left, py!(session.get(Job, old).await))]
        ),
        assert_(py!(left == None))
    ])
}

fn test_the_interface_is_described() -> FunctionDef {
    names!(app, settings, capsys, printed);
    async_def("test_the_interface_is_described")
        .params([
            param(app, FastAPI),
            param(settings, Settings),
            param(capsys, py!(pytest.CaptureFixture[str])),
        ])
        .returns(none())
        .body(block![
            assert_(py!(run(settings, ["print-openapi"]).await == 0)),
            assign(printed, py!(json.loads(capsys.readouterr().out))),
            assert_(py!(printed == json.loads(json.dumps(app.openapi()))))
        ])
}
