//! `tools/day_one.py`: from a fresh clone to a served product with an owner, in one command.

use crate::python::builtins::{
    __name__, Exception, KeyboardInterrupt, OSError, bytes, int, object, print, str, tuple,
};
use crate::python::standard::{
    Any, ArgumentParser, Generator, HTTPConnection, HTTPException, HTTPStatus, Namespace, Path,
    Sequence, contextmanager, json, os, secrets, stat, subprocess, suppress, sys, time,
};
use crate::spec::Spec;
use crate::tools::deploy::deploy;
use crate::tools::deployers::base::DeployError;
use crate::tools::workspace::{BACKEND, ENVIRONMENT, environment_python};
use astgen_pyast::prelude::*;

vocabulary! {
    "day_one": HOST, START_SECONDS, ACCOUNT_IS_THERE, DayOneError, main, run, build_parser, make_environment,
        write_settings, command, seed_owner, serving, wait_for_health, log_in, ask;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let deploys = !spec.deploy.targets.is_empty();
    let kept = if spec.auth.has_tokens() { Kept::Token } else { Kept::Cookies };
    let sentence = "From a fresh clone to a served product with an owner, in one command.\n\
         \n\
         It makes the environment and the settings, migrates, adds an owner, serves, checks that\n\
         the product is healthy and signs the owner in. What is there already stays.";
    let deployment = "\n\nWith DEPLOY_TARGET it shows then what a deployment would run, and with\n\
         `--deploy` it runs it.";
    module("day_one")
        .docstring(if deploys { format!("{sentence}{deployment}") } else { sentence.to_owned() })
        .body(block![
            assign(HOST, "127.0.0.1"),
            assign(START_SECONDS, 60),
            assign(ACCOUNT_IS_THERE, 3),
            day_one_error_class(),
            main_def(deploys),
            build_parser_def(deploys),
            run_def(deploys),
            make_environment_def(),
            write_settings_def(),
            command_def(),
            seed_owner_def(),
            serving_def(),
            wait_for_health_def(kept),
            log_in_def(kept),
            ask_def(kept),
            if_(py!(__name__ == "__main__"), [do_(py!(main()))])
        ])
}

/// What the owner signs in for.
#[derive(Clone, Copy)]
enum Kept {
    /// A token for a header.
    Token,
    /// Cookies.
    Cookies,
}

fn day_one_error_class() -> ClassDef {
    class(DayOneError).base(Exception).body([docstring("Something has to be mended first.")])
}

fn main_def(deploys: bool) -> FunctionDef {
    names!(error);
    let expected = if deploys { py!((DayOneError, DeployError)) } else { py!(DayOneError) };
    def(main).returns(none()).body(block![
        docstring("Do it, or say in one line why it cannot be done."),
        try_([with(
            py!(suppress(KeyboardInterrupt)),
            [do_(py!(run(build_parser().parse_args(sys.argv[1..]))))]
        )])
        .except_as(expected, error, [do_(py!(sys.exit(f!("day_one: {}", error))))])
    ])
}

fn build_parser_def(deploys: bool) -> FunctionDef {
    names!(parser);
    let flag = || {
        do_(py!(parser.add_argument(
            "--deploy",
            action = "store_true",
            help = "run the deployment to DEPLOY_TARGET, and do not only show it"
        )))
    };
    def(build_parser).returns(ArgumentParser).body(block![
        docstring("Describe the command line."),
        assign(
            parser,
            py!(ArgumentParser(description = "Set the product up, serve it and check it."))
        ),
        do_(py!(parser.add_argument(
            "--owner",
            default = "owner@example.com",
            help = "the address of the owner; OWNER_PASSWORD is the password"
        ))),
        do_(py!(parser.add_argument(
            "--port",
            r#type = int,
            default = 8000,
            help = "where to serve"
        ))),
        do_(py!(parser.add_argument(
            "--python",
            help = "a Python that has the packages; without it backend/.venv is made"
        ))),
        do_(py!(parser.add_argument(
            "--check",
            action = "store_true",
            help = "stop serving when all is checked"
        ))),
        deploys.then(flag),
        return_(parser)
    ])
}

fn run_def(deploys: bool) -> FunctionDef {
    names!(arguments, python, password, server, target);
    let deployment = || {
        block![
            assign(target, py!(os.environ.get("DEPLOY_TARGET"))),
            if_(target, [do_(py!(deploy(target, dry_run = !arguments.deploy)))])
        ]
    };
    def(run).params([param(arguments, Namespace)]).returns(none()).body(block![
        docstring("Take every step, in order."),
        assign(python, py!(arguments.python || make_environment())),
        do_(py!(write_settings(BACKEND / ".env"))),
        do_(py!(command([python, "-m", "alembic", "upgrade", "head"], "the migrations"))),
        assign(password, py!(seed_owner(python, arguments.owner))),
        with_as(
            py!(serving(python, arguments.port)),
            server,
            block![
                do_(py!(wait_for_health(server, arguments.port))),
                do_(py!(print(f!("healthy: http://{}:{}/docs", HOST, arguments.port)))),
                if_(password, [do_(py!(log_in(arguments.port, arguments.owner, password)))]),
                deploys.then(deployment),
                if_(
                    py!(!arguments.check),
                    block![
                        do_(py!(print("serving; Ctrl-C stops it", flush = true))),
                        do_(py!(server.wait()))
                    ]
                )
            ]
        )
    ])
}

fn make_environment_def() -> FunctionDef {
    names!(python, install, packages);
    def(make_environment).returns(str).body(block![
        docstring("Make the environment of the backend unless it is whole, and name its Python."),
        assign(python, py!(str(environment_python()))),
        assign(install, py!([python, "-m", "pip", "install", "--quiet"])),
        assign(packages, py!(["--require-hashes", "--requirement", "requirements.txt"])),
        if_(
            py!(!environment_python().is_file()),
            [do_(py!(command(
                [sys.executable, "-m", "venv", str(ENVIRONMENT)],
                "the environment"
            )))]
        ),
        do_(py!(command([*install, *packages], "the packages"))),
        return_(python)
    ])
}

fn write_settings_def() -> FunctionDef {
    names!(file, out, flags, descriptor);
    def(write_settings).params([param(file, Path)]).returns(none()).body(block![
        docstring("Write settings for development with a secret of their own, if none are there."),
        if_(py!(file.exists()), [return_none()]),
        assign(flags, py!(os.O_WRONLY | os.O_CREAT | os.O_EXCL)),
        assign(descriptor, py!(os.open(file, flags, stat.S_IRUSR | stat.S_IWUSR))),
        with_as(
            py!(os.fdopen(descriptor, "w", encoding = "utf-8")),
            out,
            [do_(py!(out.write(f!(
                "ENVIRONMENT=development\nSECRET_KEY={}\n",
                secrets.token_urlsafe(32)
            ))))]
        ),
        do_(py!(print(f!("settings: {}", file))))
    ])
}

fn command_def() -> FunctionDef {
    names!(words, what, finished);
    def(command).params([param(words, py!(Sequence[str])), param(what, str)]).returns(none()).body(
        block![
            docstring("Run a command in the folder of the backend."),
            do_(py!(print(f!("doing: {}", what), flush = true))),
            assign(finished, py!(subprocess.run(words, cwd = BACKEND, check = false))),
            if_(
                py!(finished.returncode != 0),
                [raise(py!(DayOneError(f!("{} failed, see above", what))))]
            )
        ],
    )
}

fn seed_owner_def() -> FunctionDef {
    names!(python, email, chosen, password, words, finished);
    def(seed_owner).params([param(python, str), param(email, str)]).returns(py!(str | None)).body(
        block![
            docstring("Add the owner, and return the password if it is known."),
            assign(chosen, py!(os.environ.get("OWNER_PASSWORD"))),
            assign(password, py!(chosen || secrets.token_urlsafe(18))),
            assign(words, py!([python, "-m", "app.manage", "create-owner", email, "--admin"])),
            assign(
                finished,
                py!(subprocess.run(
                    words,
                    cwd = BACKEND,
                    env = dict!(**os.environ, "OWNER_PASSWORD" => password),
                    check = false
                ))
            ),
            if_(py!(finished.returncode == ACCOUNT_IS_THERE), [return_(chosen)]),
            if_(
                py!(finished.returncode != 0),
                [raise(py!(DayOneError(f!("{} could not be added", email))))]
            ),
            if_(py!(chosen == None), [do_(py!(print(f!("password: {}", password))))]),
            return_(password)
        ],
    )
}

fn serving_def() -> FunctionDef {
    names!(python, port, words, server);
    def(serving)
        .decorator(contextmanager)
        .params([param(python, str), param(port, int)])
        .returns(py!(Generator[(subprocess.Popen[bytes], None, None)]))
        .body(block![
            docstring("Serve as long as the context is open."),
            assign(words, py!([python, "-m", "uvicorn", "--factory", "app.main:create_app"])),
            assign(
                server,
                py!(subprocess.Popen([*words, "--host", HOST, "--port", str(port)], cwd = BACKEND))
            ),
            try_([do_(py!(yield_!(server)))])
                .finally(block![do_(py!(server.terminate())), do_(py!(server.wait()))])
        ])
}

fn wait_for_health_def(kept: Kept) -> FunctionDef {
    names!(server, port, deadline, status, _answer, _cookies);
    let answered = match kept {
        Kept::Token => py!((status, _answer)),
        Kept::Cookies => py!((status, _answer, _cookies)),
    };
    def(wait_for_health)
        .params([param(server, py!(subprocess.Popen[bytes])), param(port, int)])
        .returns(none())
        .body(block![
            docstring("Wait until the server is ready, as long as it lives."),
            assign(deadline, py!(time.monotonic() + START_SECONDS)),
            while_(
                py!(time.monotonic() < deadline && server.poll() == None),
                block![
                    with(
                        py!(suppress(OSError, HTTPException)),
                        block![
                            assign(answered, py!(ask(port, "GET", "/health/ready"))),
                            if_(
                                py!(status == HTTPStatus.OK && server.poll() == None),
                                [return_none()]
                            )
                        ]
                    ),
                    do_(py!(time.sleep(0.2)))
                ]
            ),
            raise(py!(DayOneError("the server did not become ready, see above")))
        ])
}

fn log_in_def(kept: Kept) -> FunctionDef {
    names!(port, email, password, status, session, sent, me, cookies, _cookies);
    let (mark, again) = match kept {
        Kept::Token => ("access_token", kw("token", py!(session["access_token"]))),
        Kept::Cookies => ("csrf_token", kw("cookies", cookies)),
    };
    let (login, read) = match kept {
        Kept::Token => (py!((status, session)), py!((status, me))),
        Kept::Cookies => (py!((status, session, cookies)), py!((status, me, _cookies))),
    };
    def(log_in)
        .params([param(port, int), param(email, str), param(password, str)])
        .returns(none())
        .body(block![
            docstring("Sign the owner in, and ask the product who that is."),
            assign(sent, py!(dict!("email" => email, "password" => password))),
            assign(login, py!(ask(port, "POST", "/auth/login", body = sent))),
            if_(
                py!(status != HTTPStatus.OK || not_in!(mark, session)),
                [raise(py!(DayOneError(f!("{} cannot sign in: {}", email, status))))]
            ),
            assign(read, py!(ask(port, "GET", "/auth/me", ..[again]))),
            if_(
                py!(status != HTTPStatus.OK || me["email"] != email),
                [raise(py!(DayOneError(f!("the session of {} is not good: {}", email, status))))]
            ),
            do_(py!(print(f!("signed in: {}", me["email"]))))
        ])
}

fn ask_def(kept: Kept) -> FunctionDef {
    names!(port, method, path, body, token, cookies, headers, connection, answer, text, document);
    names!(line, lines);
    let (session, returns, doc) = match kept {
        Kept::Token => (
            token,
            py!(tuple[(int, Any)]),
            "Send a request, and return its status and what the answer says.",
        ),
        Kept::Cookies => (
            cookies,
            py!(tuple[(int, Any, str)]),
            "Send a request, and return its status, what the answer says, and its cookies.",
        ),
    };
    let authorized = match kept {
        Kept::Token => assign(py!(headers["Authorization"]), py!(f!("Bearer {}", token))),
        Kept::Cookies => assign(py!(headers["Cookie"]), cookies),
    };
    let returned = match kept {
        Kept::Token => block![return_(py!((answer.status, document)))],
        Kept::Cookies => block![
            assign(
                lines,
                py!(
                    generator!(line.partition(";")[0] for line in answer.headers.get_all("Set-Cookie", []))
                )
            ),
            return_(py!((answer.status, document, "; ".join(lines))))
        ],
    };
    def(ask)
        .params([
            param(port, int),
            param(method, str),
            param(path, str),
            star(),
            param(body, object).default(none()),
            param(session, py!(str | None)).default(none()),
        ])
        .returns(returns)
        .body(block![
            docstring(doc),
            assign(headers, py!(dict!("Content-Type" => "application/json"))),
            if_(session, [authorized]),
            assign(connection, py!(HTTPConnection(HOST, port, timeout = 10))),
            try_(block![
                do_(py!(connection.request(method, path, json.dumps(body), headers))),
                assign(answer, py!(connection.getresponse())),
                assign(text, py!(answer.read().decode())),
                ann_assign(document, Any, py!(if text { json.loads(text) } else { None })),
                returned
            ])
            .finally([do_(py!(connection.close()))])
        ])
}
