//! `backend/tests/test_tools.py`: the scripts beside the backend, each in a process, as people run them.

use crate::core::settings::{Given, REQUIRED_IN_PRODUCTION, Settings, fields};
use crate::python::builtins::{dict, int, len, list, set as set_type, str};
use crate::python::pytest::pytest;
use crate::python::standard::{Path, json, os, shutil, stat, subprocess, sys, tomllib};
use crate::spec::{DeployTarget, Spec};
use crate::tests::servers::{BACKEND, free_port};
use crate::tests::world::PASSWORD;
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_tools": ROOT, LEFT_BEHIND, script, apply, clone, program;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let has = |target| spec.deploy.targets.contains(&target);
    let first = spec.deploy.targets.first().map(|target| match target {
        DeployTarget::Fly => "fly",
        DeployTarget::Render => "render",
    });
    module("tests.test_tools")
        .docstring("The scripts beside the backend, each in a process, as people run them.")
        .body(block![
            assign(ROOT, py!(BACKEND.parent)),
            assign(
                LEFT_BEHIND,
                py!((".*_cache", ".astgen", ".env", ".git", ".venv", "*.db*", "__pycache__"))
            ),
            script_def(),
            apply_def(),
            clone_def(),
            test_without_apply_nothing_is_written(),
            test_what_is_missing_is_created(),
            test_a_file_that_is_there_stays(),
            test_a_conflict_is_left_with_what_clashes_beside_it(),
            test_what_changes_files_is_left_to_astgen(),
            test_a_plan_that_could_do_harm_is_refused(),
            test_links_are_not_followed(),
            test_day_one_of_a_fresh_clone(),
            has(DeployTarget::Fly).then(|| block![
                program_def(),
                test_a_deployment_to_fly_is_shown(),
                test_a_deployment_to_fly_hands_settings_over(spec),
                test_what_is_not_handed_over_is_fixed(spec),
                test_secrets_that_the_app_lacks_are_made(spec),
                test_secrets_are_made_once(),
                test_a_command_that_fails_stops_the_deployment()
            ]),
            has(DeployTarget::Render).then(|| block![
                test_a_deployment_to_render_is_shown(),
                test_render_knows_what_production_needs()
            ]),
            first.map(|target| block![
                test_a_deployment_that_cannot_begin_says_why(target),
                test_a_platform_that_is_not_known_is_refused()
            ])
        ])
}

fn script_def() -> FunctionDef {
    names!(folder, words, environment, command);
    def(script)
        .params([
            param(folder, Path),
            varargs(words, str),
            param(environment, py!(dict[(str, str)] | None)).default(none()),
        ])
        .returns(py!(subprocess.CompletedProcess[str]))
        .body(block![
            docstring(
                "Run a script of a project, without what the tests have in their environment."
            ),
            assign(command, py!([sys.executable, str(folder / "tools" / words[0]), *words[1..]])),
            return_(py!(subprocess.run(
                command,
                env = dict!("PATH" => os.environ["PATH"], **(environment || dict!())),
                stdin = subprocess.DEVNULL,
                capture_output = true,
                text = true,
                check = false
            )))
        ])
}

fn apply_def() -> FunctionDef {
    names!(project, actions, words, plan);
    def(apply)
        .params([
            param(project, Path),
            param(actions, py!(list[dict[(str, str)]])),
            varargs(words, str),
        ])
        .returns(py!(subprocess.CompletedProcess[str]))
        .body(block![
            docstring("Write a plan into a folder, and give it to the script."),
            assign(plan, py!(json.dumps(dict!("version" => 1, "actions" => actions)))),
            do_(py!((project / "plan.json").write_text(plan))),
            return_(py!(script(ROOT, "apply_plan.py", str(project), "--without-astgen", *words)))
        ])
}

fn clone_def() -> FunctionDef {
    names!(folder);
    def(clone).params([param(folder, Path)]).returns(Path).body(block![
        docstring("Copy the project as a fresh clone has it."),
        do_(py!(shutil.copytree(
            ROOT,
            folder / "clone",
            ignore = shutil.ignore_patterns(*LEFT_BEHIND)
        ))),
        return_(py!(folder / "clone"))
    ])
}

fn create(path: &str) -> Expr {
    py!(dict!("type" => "create", "path" => path, "content" => "new\n"))
}

fn project_test(test: &'static str) -> FunctionDef {
    names!(tmp_path);
    def(test).params([param(tmp_path, Path)]).returns(none())
}

fn test_without_apply_nothing_is_written() -> FunctionDef {
    names!(tmp_path, shown);
    project_test("test_without_apply_nothing_is_written").body(block![
        assign(shown, py!(apply(tmp_path, [{ create("a/b.py") }]))),
        assert_(py!(shown.returncode == 0)),
        assert_(py!(in_!("create   a/b.py", shown.stdout))),
        assert_(py!(!(tmp_path / "a").exists()))
    ])
}

fn test_what_is_missing_is_created() -> FunctionDef {
    names!(tmp_path, done, again);
    project_test("test_what_is_missing_is_created").body(block![
        assign(done, py!(apply(tmp_path, [{ create("a/b.py") }], "--apply"))),
        assert_(py!(done.returncode == 0)),
        assert_(py!((tmp_path / "a" / "b.py").read_text() == "new\n")),
        assign(again, py!(apply(tmp_path, [{ create("a/b.py") }], "--apply"))),
        assert_(py!(again.returncode == 0)),
        assert_(py!(in_!("done     a/b.py", again.stdout)))
    ])
}

fn test_a_file_that_is_there_stays() -> FunctionDef {
    names!(tmp_path, done);
    project_test("test_a_file_that_is_there_stays").body(block![
        do_(py!((tmp_path / "a.py").write_text("mine\n"))),
        assign(done, py!(apply(tmp_path, [{ create("a.py") }], "--apply"))),
        assert_(py!(done.returncode == 1)),
        assert_(py!((tmp_path / "a.py").read_text() == "mine\n"))
    ])
}

fn test_a_conflict_is_left_with_what_clashes_beside_it() -> FunctionDef {
    names!(tmp_path, clash, done);
    project_test("test_a_conflict_is_left_with_what_clashes_beside_it").body(block![
        do_(py!((tmp_path / "a.py").write_text("mine\n"))),
        assign(
            clash,
            py!(dict!("type" => "conflict", "path" => "a.py", "new_content" => "both\n"))
        ),
        assign(done, py!(apply(tmp_path, [clash], "--apply"))),
        assert_(py!(done.returncode == 1)),
        assert_(py!((tmp_path / "a.py").read_text() == "mine\n")),
        assert_(py!((tmp_path / "a.py.new").read_text() == "both\n")),
        do_(py!((tmp_path / "a.py.new").write_text("in work\n"))),
        do_(py!(apply(tmp_path, [clash], "--apply"))),
        assert_(py!((tmp_path / "a.py.new").read_text() == "in work\n"))
    ])
}

fn test_what_changes_files_is_left_to_astgen() -> FunctionDef {
    names!(tmp_path, kind, change, done);
    project_test("test_what_changes_files_is_left_to_astgen")
        .decorator(py!(pytest.mark.parametrize("kind", ["update", "merge", "delete"])))
        .params([param(kind, str)])
        .body(block![
            do_(py!((tmp_path / "a.py").write_text("old\n"))),
            assign(change, py!(dict!("type" => kind, "path" => "a.py", "content" => "new\n"))),
            assign(done, py!(apply(tmp_path, [change], "--apply"))),
            assert_(py!(done.returncode == 1)),
            assert_(py!((tmp_path / "a.py").read_text() == "old\n"))
        ])
}

fn test_a_plan_that_could_do_harm_is_refused() -> FunctionDef {
    names!(tmp_path, path, project, done);
    let paths = [
        "../a.py",
        "/a.py",
        "a/../../b.py",
        "a//b.py",
        ".git/hooks/x",
        "a/.GIT/x",
        ".astgen/x",
        "a\\b.py",
        "c:a.py",
        "a./b.py",
        "a\0.py",
        "",
        ".",
    ];
    project_test("test_a_plan_that_could_do_harm_is_refused")
        .decorator(py!(pytest.mark.parametrize("path", [..paths])))
        .params([param(path, str)])
        .body(block![
            assign(project, py!(tmp_path / "project")),
            do_(py!(project.mkdir())),
            assign(
                done,
                py!(apply(
                    project,
                    [
                        { create("good.py") },
                        dict!("type" => "create", "path" => path, "content" => "bad\n")
                    ],
                    "--apply"
                ))
            ),
            assert_(py!(done.returncode == 2)),
            assert_(py!(list!(file.name for file in tmp_path.rglob("*.py")) == []))
        ])
}

fn test_links_are_not_followed() -> FunctionDef {
    names!(tmp_path, project, outside, done);
    project_test("test_links_are_not_followed").body(block![
        assign(py!((project, outside)), py!((tmp_path / "project", tmp_path / "outside"))),
        do_(py!(project.mkdir())),
        do_(py!(outside.mkdir())),
        do_(py!((project / "link").symlink_to(outside))),
        assign(done, py!(apply(project, [{ create("link/a.py") }], "--apply"))),
        assert_(py!(done.returncode == 2)),
        assert_(py!(list!(file.name for file in outside.iterdir()) == []))
    ])
}

fn test_day_one_of_a_fresh_clone() -> FunctionDef {
    names!(tmp_path, project, words, first, second, settings, password);
    project_test("test_day_one_of_a_fresh_clone").body(block![
        assign(project, py!(clone(tmp_path))),
        assign(
            words,
            py!(("day_one.py", "--python", sys.executable, "--check", "--port", str(free_port())))
        ),
        assign(first, py!(script(project, *words))),
        assert_that(py!(first.returncode == 0), py!(first.stderr)),
        assert_(py!(in_!("signed in: owner@example.com", first.stdout))),
        assign(settings, py!(project / "backend" / ".env")),
        assert_(py!(stat.S_IMODE(settings.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR)),
        assign(password, py!(dict!("OWNER_PASSWORD" => PASSWORD))),
        assign(
            second,
            py!(script(project, *words, "--owner", "ada@example.com", environment = password))
        ),
        assert_that(py!(second.returncode == 0), py!(second.stderr)),
        assert_(py!(in_!("signed in: ada@example.com", second.stdout))),
        assert_(py!(not_in!("settings: ", second.stdout)))
    ])
}

fn program_def() -> FunctionDef {
    names!(folder, name, exit_code, answer, file);
    names!(lines);
    let note = "printf '%s\\n' \"$*\" >> \"$RECORD\"";
    let read = "cat >> \"$RECORD\"";
    def(program)
        .params([
            param(folder, Path),
            param(name, str),
            param(exit_code, int).default(0),
            param(answer, str).default(""),
        ])
        .returns(py!(dict[(str, str)]))
        .body(block![
            docstring("Put a program on the path that notes its arguments and what it reads."),
            assign(file, py!(folder / name)),
            assign(
                lines,
                py!(["#!/bin/sh", note, read, "printf '%s' \"$ANSWER\"", f!("exit {}", exit_code)])
            ),
            do_(py!(file.write_text("\n".join(lines)))),
            do_(py!(file.chmod(stat.S_IRWXU))),
            return_(py!(dict!(
                "PATH" => f!("{}:/usr/bin:/bin", folder),
                "RECORD" => str(folder / "record"),
                "ANSWER" => answer
            )))
        ])
}

fn test_a_deployment_to_fly_is_shown() -> FunctionDef {
    names!(tmp_path, shown);
    project_test("test_a_deployment_to_fly_is_shown").body(block![
        assign(
            shown,
            py!(script(ROOT, "deploy.py", "fly", environment = dict!("PATH" => str(tmp_path))))
        ),
        assert_(py!(shown.returncode == 0)),
        assert_(py!(in_!("missing: `flyctl` is not installed", shown.stdout))),
        assert_(py!(in_!("would run: flyctl config validate --config fly.toml", shown.stdout))),
        assert_(py!(in_!("would run: flyctl deploy --config fly.toml", shown.stdout)))
    ])
}

fn test_a_deployment_to_fly_hands_settings_over(spec: &Spec) -> FunctionDef {
    let asked = format!("secrets list --json --app {}", spec.project.name);
    let import = format!("secrets import --stage --app {}", spec.project.name);
    names!(tmp_path, environment, done, record);
    project_test("test_a_deployment_to_fly_hands_settings_over").body(block![
        assign(
            environment,
            py!(dict!(
                **program(tmp_path, "flyctl"),
                "SECRET_KEY" => "the key",
                "PREVIOUS_SECRET_KEYS" => "the old key"
            ))
        ),
        assign(done, py!(script(ROOT, "deploy.py", "fly", "--run", environment = environment))),
        assert_that(py!(done.returncode == 0), py!(done.stderr)),
        assign(record, py!((tmp_path / "record").read_text().splitlines())),
        assert_(py!(record
            == [
                asked,
                "config validate --config fly.toml",
                import,
                "SECRET_KEY=the key",
                "PREVIOUS_SECRET_KEYS=the old key",
                "deploy --config fly.toml"
            ])),
        assert_(py!(not_in!("the key", done.stdout)))
    ])
}

fn test_what_is_not_handed_over_is_fixed(spec: &Spec) -> FunctionDef {
    let settings = fields(spec).into_iter();
    let development = settings.filter(|setting| setting.given == Given::Development);
    let development = development.map(|setting| string(setting.variable()));
    let development: Vec<Expr> = development.collect();
    let rest = match development.is_empty() {
        true => py!(set_type()),
        false => make::set(development),
    };
    names!(tmp_path, variables, environment, record, handed, fixed, image, name, line);
    project_test("test_what_is_not_handed_over_is_fixed").body(block![
        docstring("The rest is for development."),
        assign(variables, py!(set!(name.upper() for name in Settings.model_fields))),
        assign(
            environment,
            py!(dict!(**dict.fromkeys(variables, "given"), **program(tmp_path, "flyctl")))
        ),
        do_(py!(script(ROOT, "deploy.py", "fly", "--run", environment = environment))),
        assign(record, py!((tmp_path / "record").read_text().splitlines())),
        assign(
            handed,
            py!(set!(line.partition("=")[0] for line in record if line.endswith("=given")))
        ),
        assert_(py!(in_!("DATABASE_URL", handed))),
        assign(fixed, py!(set_type(tomllib.loads((ROOT / "fly.toml").read_text())["env"]))),
        assign(image, py!((ROOT / "Dockerfile").read_text())),
        aug_assign(
            fixed,
            Operator::BitOr,
            py!(set!(name for name in variables if in_!(f!("{}=\"", name), image)))
        ),
        assert_(py!(variables - handed - fixed == rest))
    ])
}

fn test_secrets_that_the_app_lacks_are_made(spec: &Spec) -> FunctionDef {
    let made = fields(spec).into_iter().filter(|setting| setting.given == Given::Made);
    let made: Vec<String> = made.map(|setting| setting.variable()).collect();
    names!(tmp_path, environment, done, record, name, line, value);
    project_test("test_secrets_that_the_app_lacks_are_made").body(block![
        assign(environment, py!(program(tmp_path, "flyctl", answer = "[]"))),
        assign(done, py!(script(ROOT, "deploy.py", "fly", "--run", environment = environment))),
        assert_that(py!(done.returncode == 0), py!(done.stderr)),
        assign(record, py!((tmp_path / "record").read_text().splitlines())),
        for_(
            name,
            tuple(made),
            block![
                assign(
                    py!([value]),
                    py!(list!(line.partition("=")[2] for line in record
                        if line.startswith(f!("{}=", name))))
                ),
                assert_(py!(len(value) >= 32)),
                assert_(py!(not_in!(value, done.stdout)))
            ]
        )
    ])
}

fn test_secrets_are_made_once() -> FunctionDef {
    names!(tmp_path, answer, environment, done, record);
    project_test("test_secrets_are_made_once").body(block![
        assign(answer, py!(json.dumps([dict!("name" => "SECRET_KEY", "digest" => "1a2b")]))),
        assign(environment, py!(program(tmp_path, "flyctl", answer = answer))),
        assign(done, py!(script(ROOT, "deploy.py", "fly", "--run", environment = environment))),
        assert_that(py!(done.returncode == 0), py!(done.stderr)),
        assign(record, py!((tmp_path / "record").read_text())),
        assert_(py!(not_in!("SECRET_KEY=", record)))
    ])
}

fn test_a_command_that_fails_stops_the_deployment() -> FunctionDef {
    names!(tmp_path, environment, done, record);
    project_test("test_a_command_that_fails_stops_the_deployment").body(block![
        assign(environment, py!(program(tmp_path, "flyctl", exit_code = 7))),
        assign(done, py!(script(ROOT, "deploy.py", "fly", "--run", environment = environment))),
        assert_(py!(done.returncode == 1)),
        assert_(py!(in_!("exited with 7", done.stderr))),
        assign(record, py!((tmp_path / "record").read_text().splitlines())),
        assert_(py!(record[-1] == "config validate --config fly.toml"))
    ])
}

fn test_a_deployment_to_render_is_shown() -> FunctionDef {
    names!(tmp_path, shown, environment);
    project_test("test_a_deployment_to_render_is_shown").body(block![
        assign(environment, py!(dict!("PATH" => str(tmp_path), "DEPLOY_TARGET" => "render"))),
        assign(shown, py!(script(ROOT, "deploy.py", environment = environment))),
        assert_(py!(shown.returncode == 0)),
        assert_(py!(in_!("missing: RENDER_SERVICE_ID is not set", shown.stdout))),
        assert_(py!(in_!("would run: render blueprints validate render.yaml", shown.stdout))),
        assert_(py!(in_!("would run: render deploys create", shown.stdout)))
    ])
}

fn test_render_knows_what_production_needs() -> FunctionDef {
    names!(manifest, name);
    def("test_render_knows_what_production_needs").returns(none()).body(block![
        assign(manifest, py!((ROOT / "render.yaml").read_text().splitlines())),
        for_(
            name,
            REQUIRED_IN_PRODUCTION,
            [assert_(py!(in_!(f!("      - key: {}", name.upper()), manifest)))]
        )
    ])
}

fn test_a_deployment_that_cannot_begin_says_why(target: &str) -> FunctionDef {
    names!(tmp_path, refused);
    project_test("test_a_deployment_that_cannot_begin_says_why").body(block![
        assign(
            refused,
            py!(script(
                ROOT,
                "deploy.py",
                target,
                "--run",
                environment = dict!("PATH" => str(tmp_path))
            ))
        ),
        assert_(py!(refused.returncode == 1)),
        assert_(py!(in_!("is not installed", refused.stderr))),
        assert_(py!(not_in!("running", refused.stdout)))
    ])
}

fn test_a_platform_that_is_not_known_is_refused() -> FunctionDef {
    names!(refused);
    def("test_a_platform_that_is_not_known_is_refused").returns(none()).body(block![
        assign(refused, py!(script(ROOT, "deploy.py", "the-moon"))),
        assert_(py!(refused.returncode == 1)),
        assert_(py!(in_!("the-moon", refused.stderr)))
    ])
}
