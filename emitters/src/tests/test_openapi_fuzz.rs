//! `backend/tests/test_openapi_fuzz.py`: schemathesis calls a real server.

use crate::core::roles::UserRole;
use crate::models::base::utcnow;
use crate::models::user::User;
use crate::python::anyio::{create_task_group, run_process, to_thread};
use crate::python::builtins::str;
use crate::python::fastapi::{ASGIApp, JSONResponse, Receive, Scope, Send};
use crate::python::sqlalchemy::update;
use crate::python::standard::{
    AsyncGenerator, asynccontextmanager, dataclass, os, subprocess, sys, uuid4,
};
use crate::python::uvicorn::{Config, Server};
use crate::tests::servers::{BACKEND, LOCALHOST, free_port, wait_until};
use crate::tests::world::{Caller, World, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_openapi_fuzz": EXAMPLES, EXTENT, DOOR, Stage, serving;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let few = py!(["--phases", "fuzzing", "--max-examples", "1", "--seed", "1"]);
    let many = py!(["--max-examples", EXAMPLES]);
    module("tests.test_openapi_fuzz")
        .docstring("Whatever is sent, a real server keeps to the description of the interface.")
        .body(block![
            assign(EXAMPLES, py!(os.environ.get("OPENAPI_EXAMPLES"))),
            assign(EXTENT, py!(if EXAMPLES == None { few } else { many })),
            assign(DOOR, "/door/"),
            stage_class(),
            serving_def(),
            test_the_interface_keeps_to_its_description()
        ])
}

fn stage_class() -> ClassDef {
    names!(world, email);
    class(Stage).decorator(dataclass).body(block![
        docstring("The application, and a door at which schemathesis becomes somebody."),
        annotate(world, World),
        ann_assign(email, str, ""),
        stage_call(),
        stage_owner(),
        stage_newcomer()
    ])
}

fn stage_call() -> FunctionDef {
    names!(scope, receive, send, path, caller, organization_id, session);
    let who = py!(if path == DOOR + "leaver" { self.newcomer() } else { self.owner() });
    async_def("__call__")
        .params([untyped("self"), param(scope, Scope), param(receive, Receive), param(send, Send)])
        .returns(none())
        .body(block![
            docstring("Open a session for who comes to the door."),
            ann_assign(path, str, py!(scope["path"])),
            if_(
                py!(!path.startswith(DOOR)),
                block![do_(py!(self.world.app(scope, receive, send).await)), return_none()]
            ),
            assign(caller, py!(who.await)),
            assign(organization_id, py!(caller.organization().await)),
            assign(
                session,
                py!(dict!("headers" => caller.headers, "organization_id" => organization_id))
            ),
            do_(py!(JSONResponse(session)(scope, receive, send).await))
        ])
}

fn stage_owner() -> FunctionDef {
    names!(owner, organizations);
    async_def("owner").params([untyped("self")]).returns(Caller).body(block![
        docstring("Sign in who has an organization; it may have been deleted."),
        if_(
            py!(!self.email),
            block![
                assign(owner, py!(self.newcomer().await)),
                assign(py!(self.email), py!(owner.email)),
                return_(owner)
            ]
        ),
        assign(owner, py!(self.world.sign_in(self.email).await)),
        assign(organizations, py!(owner.get("/organizations").await.json())),
        if_(py!(!organizations["items"]), [do_(py!(owner.found("another company").await))]),
        return_(owner)
    ])
}

fn stage_newcomer() -> FunctionDef {
    names!(caller, account);
    async_def("newcomer").params([untyped("self")]).returns(Caller).body(block![
        docstring("Sign up somebody who may do everything."),
        assign(caller, py!(self.world.sign_up(f!("{}@example.com", uuid4())).await)),
        assign(
            account,
            py!(update(User)
                .r#where(User.email == caller.email)
                .values(email_verified_at = utcnow(), role = UserRole.ADMIN))
        ),
        do_(py!(self.world.change(account).await)),
        return_(caller)
    ])
}

fn serving_def() -> FunctionDef {
    names!(app, port, config, server, tasks);
    async_def(serving)
        .decorator(asynccontextmanager)
        .params([param(app, ASGIApp)])
        .returns(py!(AsyncGenerator[(str, None)]))
        .body(block![
            docstring("Serve an application, and tell where."),
            assign(port, py!(free_port())),
            assign(
                config,
                py!(Config(
                    app,
                    LOCALHOST,
                    port,
                    lifespan = "off",
                    log_config = None,
                    access_log = false
                ))
            ),
            assign(server, py!(Server(config))),
            async_with_as(
                py!(create_task_group()),
                tasks,
                block![
                    do_(py!(tasks.start_soon(server.serve))),
                    do_(py!(to_thread.run_sync(wait_until, || server.started).await)),
                    try_([do_(py!(yield_!(f!("http://{}:{}", LOCALHOST, port))))])
                        .finally([assign(py!(server.should_exit), true)])
                ]
            )
        ])
}

fn test_the_interface_keeps_to_its_description() -> FunctionDef {
    names!(world, url, command, unmeasured, environment, done);
    let others = py!(dict!(name => value for (name, value) in os.environ.items()
        if !name.startswith("COVERAGE_")));
    world_test("test_the_interface_keeps_to_its_description").body(block![
        assign(unmeasured, others).comment(
            "What asks is not what is tested, and hangs now and then when it is measured."
        ),
        async_with_as(
            py!(serving(Stage(world))),
            url,
            block![
                assign(
                    command,
                    py!([
                        sys.executable,
                        "-m",
                        "schemathesis.cli",
                        "run",
                        url + "/openapi.json",
                        "--checks",
                        "all",
                        "--no-color",
                        *EXTENT
                    ])
                ),
                assign(environment, py!(dict!(**unmeasured, "OPENAPI_DOOR" => url + DOOR))),
                assign(
                    done,
                    py!(run_process(
                        command,
                        stderr = subprocess.STDOUT,
                        check = false,
                        cwd = BACKEND,
                        env = environment
                    )
                    .await)
                )
            ]
        ),
        do_(py!(world.app.state.dispatcher.drain().await)),
        assert_that(py!(done.returncode == 0), py!(done.stdout.decode()))
    ])
}
