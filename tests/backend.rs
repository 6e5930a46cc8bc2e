//! The emitted backend, end to end: both examples are built by the real binary, checked by the tools that
//! their own project names, tested by their own test suite, and walked through from outside under a real
//! uvicorn.

mod environment;

use environment::server::serve;
use environment::{build, build_spec, everything, program, programs, root, run};
#[cfg(feature = "newest-python")]
use environment::{newest_programs, program_of};
use std::fs;
use std::path::{Path, PathBuf};

#[track_caller]
fn check_tools(name: &str) {
    let (_folder, backend) = build(name);
    check_tools_in(&backend);
}

#[track_caller]
fn check_tools_in(backend: &Path) {
    run(program("ruff", backend).args(["format", "--check", "--no-cache", ".", "../tools"]));
    run(program("ruff", backend).args(["check", "--no-cache", ".", "../tools"]));
    run(program("bandit", backend).args(["--quiet", "--recursive", "app"]));
    run(program("mypy", backend).args(["--cache-dir", "/dev/null", "app", "tests"]));
    run(program("pyright", backend).arg("--pythonpath").arg(programs().join("python")));
    let tools = backend.with_file_name("tools");
    run(program("mypy", &tools).args(["--cache-dir", "/dev/null"]));
    run(program("pyright", &tools).arg("--pythonpath").arg(programs().join("python")));
}

#[test]
fn acme_passes_the_tools_it_names() {
    check_tools("acme");
}

#[test]
fn minimal_passes_the_tools_it_names() {
    check_tools("minimal");
}

/// What runs the product is read by those who know best; `ASTGEN_LINTERS` names the folder of their programs.
#[cfg(feature = "linters")]
#[test]
fn nothing_is_found_in_the_image_and_the_workflow() {
    let linters = std::env::var("ASTGEN_LINTERS").expect("ASTGEN_LINTERS names a folder");
    let linter = |name: &str| std::process::Command::new(Path::new(&linters).join(name));
    let acme = fs::read_to_string(root().join("examples/acme.toml")).expect("the example");
    let minimal = fs::read_to_string(root().join("examples/minimal.toml")).expect("the example");
    for spec in [acme, everything(), minimal] {
        let (_folder, backend) = build_spec(&spec);
        let project = backend.parent().expect("a project");
        run(linter("hadolint").arg(project.join("Dockerfile")));
        run(linter("zizmor").args(["--offline", "--no-progress"]).arg(project.join(".github")));
    }
}

#[test]
fn the_suite_of_acme_is_green_on_sqlite() {
    let (_folder, backend) = build("acme");
    let mut pytest = program("pytest", &backend);
    // It fails where less is covered than the project's own settings ask for.
    run(pytest.args(["-q", "-p", "no:cacheprovider", "--numprocesses", "2", "--cov"]));
}

#[test]
fn the_suite_of_minimal_is_green_on_sqlite() {
    let (_folder, backend) = build("minimal");
    run(program("pytest", &backend).args(["-q", "-p", "no:cacheprovider"]));
}

/// What stands on libraries that care for the version of Python, with the newest one: what it warns of is an error there.
#[cfg(feature = "newest-python")]
#[test]
fn the_newest_python_will_do() {
    let (_folder, backend) = build_spec(&everything());
    let tests = [
        "auth",
        "database",
        "files",
        "jobs",
        "metrics",
        "openapi",
        "outbound",
        "outbox",
        "s3_storage",
        "server",
        "smtp",
        "tools",
        "totp",
        "tracing",
        "webhook",
        "webhooks",
        "worker",
    ];
    let files = tests.map(|name| format!("tests/test_{name}.py"));
    let mut pytest = program_of(&newest_programs(), "pytest", &backend);
    run(pytest.args(["-q", "-p", "no:cacheprovider", "--numprocesses", "2"]).args(files));
}

/// What acme does not choose: trials that begin in a checkout, and metrics that everybody can read.
#[test]
fn trials_by_card_work_on_sqlite() {
    let acme = fs::read_to_string(root().join("examples/acme.toml")).expect("the example");
    let trial = "trial = \"14d\"\ntrial_start = \"checkout\"\ntrial_without_card = \"pause\"";
    let metrics = "metrics = true\nmetrics_access = \"open\"";
    let spec = acme.replace("trial = \"14d\"", trial).replace("metrics = true", metrics);
    let (_folder, backend) = build_spec(&spec);
    run(program("mypy", &backend).args(["--cache-dir", "/dev/null", "app", "tests"]));
    let tests = ["card_trials", "checkout", "metrics", "plans", "subscriptions", "me", "api_keys"];
    let files = tests.map(|name| format!("tests/test_{name}.py"));
    run(program("pytest", &backend).args(["-q", "-p", "no:cacheprovider"]).args(files));
}

/// What acme does not choose: traces, and what is different with them.
#[test]
fn traces_work_on_sqlite() {
    let (_folder, backend) = build_spec(&everything());
    check_tools_in(&backend);
    let tests = ["tracing", "jobs", "worker", "request_id", "metrics", "monitoring", "migrations"];
    let files = tests.map(|name| format!("tests/test_{name}.py"));
    run(program("pytest", &backend).args(["-q", "-p", "no:cacheprovider"]).args(files));
}

/// The spec of acme where users pay for the organizations that they own.
fn users_pay() -> (tempfile::TempDir, PathBuf) {
    let acme = fs::read_to_string(root().join("examples/acme.toml")).expect("the example");
    let users = acme.replace("trial = \"14d\"", "trial = \"14d\"\npayer = \"user\"");
    build_spec(&users.replace(", per = \"member\"", ""))
}

/// What is different then, by what is in the suite about payments, plans and who leaves.
#[track_caller]
fn test_payers(backend: &Path, settings: &[(&str, &str)]) {
    let tests = [
        "payers",
        "billing_post",
        "checkout",
        "entitlements",
        "me",
        "members",
        "organizations",
        "plans",
        "reconcile",
        "subscriptions",
        "trials",
        "conventions",
        "statements",
    ];
    let files = tests.map(|name| format!("tests/test_{name}.py"));
    let mut pytest = program("pytest", backend);
    pytest.args(["-q", "-p", "no:cacheprovider"]).args(files);
    run(pytest.envs(settings.iter().copied()));
}

#[test]
fn users_pay_on_sqlite() {
    let (_folder, backend) = users_pay();
    run(program("mypy", &backend).args(["--cache-dir", "/dev/null", "app", "tests"]));
    test_payers(&backend, &[]);
}

/// Four workers answer ten thousand requests over 32 connections, and `/metrics` has each of them: the script fails where a
/// sum differs, and says so of every reading where none does.
#[test]
fn several_workers_count_exactly_what_was_sent() {
    let (_folder, backend) = build("acme");
    let mut python = program("python", &backend);
    let told = run(python.arg(root().join("benches/workers.py")).arg(&backend));
    assert!(told.starts_with("10000 requests, 4 workers"), "{told}");
    assert!(told.ends_with("20 readings of /metrics, each exact\n"), "{told}");
}

/// The smallest example with sessions in cookies alone, and with codes for everybody.
#[test]
fn the_suite_with_cookies_is_green_on_sqlite() {
    let minimal = include_str!("../examples/minimal.toml");
    let auth = "[auth]\nmode = \"cookie\"\ntotp = \"required\"\n";
    let (_folder, backend) = build_spec(&format!("{minimal}\n{auth}"));
    check_tools_in(&backend);
    run(program("pytest", &backend).args(["-q", "-p", "no:cacheprovider"]));
}

/// Calls every operation with schemathesis, with all of its phases and a few examples of each.
#[track_caller]
fn fuzz(backend: &Path, settings: &[(&str, &str)]) {
    let mut pytest = program("pytest", backend);
    pytest.args(["-q", "-p", "no:cacheprovider", "tests/test_openapi_fuzz.py"]);
    run(pytest.env("OPENAPI_EXAMPLES", "2").envs(settings.iter().copied()));
}

#[test]
fn the_interface_of_acme_is_what_it_says_on_sqlite() {
    let (_folder, backend) = build("acme");
    fuzz(&backend, &[]);
}

/// Migrates, serves, and walks through the application from outside.
#[track_caller]
fn walk(example: &str, settings: &[(&str, &str)]) {
    let (_folder, backend) = build(example);
    run(program("alembic", &backend).args(["upgrade", "head"]).envs(settings.iter().copied()));
    run(program("alembic", &backend).arg("check").envs(settings.iter().copied()));
    let server = serve(&backend, settings);
    let mut command = program("python", &backend);
    command.arg(root().join("tests/walk.py")).arg(&server.url).arg(&server.log).arg(example);
    run(command.envs(settings.iter().copied()));
}

const WALK_SETTINGS: [(&str, &str); 2] =
    [("ENVIRONMENT", "development"), ("STRIPE_WEBHOOK_SECRETS", "whsec_walk")];

#[test]
fn acme_is_walked_through_on_sqlite() {
    let settings =
        [&WALK_SETTINGS[..], &[("DATABASE_URL", "sqlite+aiosqlite:///./walk.db")]].concat();
    walk("acme", &settings);
}

#[test]
fn minimal_is_walked_through_on_sqlite() {
    let settings =
        [&WALK_SETTINGS[..], &[("DATABASE_URL", "sqlite+aiosqlite:///./walk.db")]].concat();
    walk("minimal", &settings);
}

/// Tests that need `npx`: `cargo test --features spectral`.
#[cfg(feature = "spectral")]
mod spectral {
    use super::{build, build_spec, fs, program, root, run};
    use std::path::Path;
    use std::process::Command;

    /// The version that the emitted workflow runs.
    const SPECTRAL: &str = "@stoplight/spectral-cli@6.16.3";

    /// No rule of spectral's for OpenAPI is broken; what it only warns of is not asked.
    #[track_caller]
    fn lint(backend: &Path) {
        let workflow = backend.with_file_name(".github/workflows/unit.yml");
        let workflow = fs::read_to_string(workflow).expect("the workflow is emitted");
        assert!(workflow.contains(&format!("npx --yes {SPECTRAL} lint openapi.json")));
        let mut describe = program("python", backend);
        describe.args(["-m", "app.manage", "print-openapi"]).env("ENVIRONMENT", "development");
        fs::write(backend.join("openapi.json"), run(&mut describe)).expect("a file");
        let mut npx = Command::new("npx");
        run(npx.current_dir(backend).args(["--yes", SPECTRAL, "lint", "openapi.json"]));
    }

    #[test]
    fn the_descriptions_of_the_examples_break_no_rule() {
        for name in ["acme", "minimal"] {
            let (_folder, backend) = build(name);
            lint(&backend);
        }
    }

    #[test]
    fn a_description_with_cookies_breaks_no_rule() {
        let acme = fs::read_to_string(root().join("examples/acme.toml")).expect("the example");
        let (_folder, backend) = build_spec(&acme.replace("\"bearer\"", "\"cookie\""));
        lint(&backend);
    }
}

/// Tests that need a PostgreSQL server: `cargo test --features postgresql`. They make databases and roles of
/// their own and drop them again.
#[cfg(feature = "postgresql")]
mod postgresql {
    use super::environment::postgresql::{Database, server};
    use super::{WALK_SETTINGS, build, fuzz, program, run, test_payers, users_pay, walk};

    #[test]
    fn acme_is_walked_through_on_postgresql() {
        let database = Database::create("walk");
        let (migrations, requests) = (database.owner_url(), database.app_url());
        let urls = [("MIGRATION_DATABASE_URL", &*migrations), ("DATABASE_URL", &*requests)];
        walk("acme", &[&WALK_SETTINGS[..], &urls].concat());
    }

    #[test]
    fn the_suite_of_acme_is_green_on_postgresql() {
        let (_folder, backend) = build("acme");
        let url = format!("postgresql+asyncpg://{}/postgres", server());
        let mut pytest = program("pytest", &backend);
        run(pytest.args(["-q", "-p", "no:cacheprovider"]).env("TEST_DATABASE_URL", url));
    }

    #[test]
    fn users_pay_on_postgresql() {
        let (_folder, backend) = users_pay();
        let url = format!("postgresql+asyncpg://{}/postgres", server());
        test_payers(&backend, &[("TEST_DATABASE_URL", &*url)]);
    }

    #[test]
    fn the_interface_of_acme_is_what_it_says_on_postgresql() {
        let (_folder, backend) = build("acme");
        let url = format!("postgresql+asyncpg://{}/postgres", server());
        fuzz(&backend, &[("TEST_DATABASE_URL", &*url)]);
    }
}
