//! `.github/workflows/unit.yml`: what is checked before a change comes in.

use super::dockerfile::IMAGE_PYTHON;
use super::yaml::{Yaml, list, map, print};
use crate::spec::Spec;
use crate::{Content, Generated};

/// `actions/checkout`, pinned.
const CHECKOUT: (&str, &str) =
    ("actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "v5.0.0");
/// `actions/setup-python`, pinned.
const SETUP_PYTHON: (&str, &str) =
    ("actions/setup-python@e797f83bcb11b83ae66e0230d6156d7c80228e7c", "v6.0.0");
/// What reads the description of the interface, pinned.
const SPECTRAL: &str = "@stoplight/spectral-cli@6.16.3";
const RUNNER: &str = "ubuntu-24.04";
/// Where the code of astgen is.
const ASTGEN: &str = env!("CARGO_PKG_REPOSITORY");
/// The version that made the project: a later one may make something else of its spec.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The file.
#[must_use]
pub fn emit(spec: &Spec) -> Generated {
    let no_rights = map::<&str, Yaml>([]);
    let document = map([
        ("name", Yaml::from("unit")),
        (
            "on",
            map([
                ("push", map([("branches", list(["main"]))])),
                ("pull_request", no_rights.clone()),
            ]),
        ),
        ("permissions", no_rights),
        (
            "concurrency",
            map([
                ("group", Yaml::from("${{ github.workflow }}-${{ github.ref }}")),
                ("cancel-in-progress", true.into()),
            ]),
        ),
        ("jobs", jobs(spec)),
    ]);
    Generated {
        path: ".github/workflows/unit.yml".to_owned(),
        content: Content::Text(print(&document)),
    }
}

fn jobs(spec: &Spec) -> Yaml {
    map([
        ("tests", tests(spec)),
        ("postgresql", postgresql(spec)),
        ("interface", interface(spec)),
        ("lint", lint()),
        ("image", image()),
        ("generated", generated()),
    ])
}

fn job(name: &str, folder: &str, parts: Vec<(&str, Yaml)>, steps: Vec<Yaml>) -> Yaml {
    let head = [
        ("name", Yaml::from(name)),
        ("runs-on", RUNNER.into()),
        ("timeout-minutes", 30.into()),
        ("permissions", map([("contents", "read")])),
        ("defaults", map([("run", map([("working-directory", folder)]))])),
    ];
    let steps = [("steps", Yaml::List([vec![checkout()], steps].concat()))];
    map(head.into_iter().chain(parts).chain(steps))
}

/// With the oldest Python of the product, and with that of the image.
fn tests(spec: &Spec) -> Yaml {
    let mut versions = vec![spec.project.python.as_str(), IMAGE_PYTHON];
    versions.dedup();
    let matrix = map([("matrix", map([("python", list(versions))]))]);
    let test = command("pytest --numprocesses 2 --cov");
    let steps = [python("${{ matrix.python }}"), programs(spec), vec![test]];
    job("Tests on SQLite", "backend", vec![("strategy", matrix)], steps.concat())
}

fn postgresql(spec: &Spec) -> Yaml {
    let parts = vec![postgres_service(), ("env", map([SERVER_URL]))];
    let test = command("pytest --numprocesses 2");
    let steps = [python(IMAGE_PYTHON), programs(spec), vec![test]];
    job("Tests on PostgreSQL", "backend", parts, steps.concat())
}

/// Every operation, a hundred times on each database.
fn interface(spec: &Spec) -> Yaml {
    let fuzz = "pytest tests/test_openapi_fuzz.py";
    let on_postgresql = map([("run", Yaml::from(fuzz)), ("env", map([SERVER_URL]))]);
    let parts = vec![postgres_service(), ("env", map([("OPENAPI_EXAMPLES", "100")]))];
    let steps = [python(IMAGE_PYTHON), programs(spec), vec![command(fuzz), on_postgresql]];
    job("Interface", "backend", parts, steps.concat())
}

const SERVER_URL: (&str, &str) =
    ("TEST_DATABASE_URL", "postgresql+asyncpg://postgres:postgres@localhost:5432/postgres");

fn postgres_service() -> (&'static str, Yaml) {
    let service = map([
        ("image", Yaml::from("postgres:17")),
        ("env", map([("POSTGRES_PASSWORD", "postgres")])),
        ("ports", list(["5432:5432"])),
        ("options", "--health-cmd pg_isready --health-interval 2s --health-retries 30".into()),
    ]);
    ("services", map([("postgres", service)]))
}

fn lint() -> Yaml {
    let checks = [
        "ruff format --check . ../tools",
        "ruff check . ../tools",
        "bandit --quiet --recursive app",
        "mypy",
        "pyright",
    ];
    let scripts =
        ["mypy", "pyright"].map(|check| map([("run", check), ("working-directory", "tools")]));
    let description = map([
        ("run", Yaml::from("python -m app.manage print-openapi > openapi.json")),
        ("env", map([("ENVIRONMENT", "development")])),
    ]);
    let described = vec![description, command(&format!("npx --yes {SPECTRAL} lint openapi.json"))];
    let steps = [python(IMAGE_PYTHON), checks.map(command).into(), scripts.into(), described];
    job("Lint", "backend", Vec::new(), steps.concat())
}

fn image() -> Yaml {
    job("Image", ".", Vec::new(), vec![command("docker build .")])
}

/// That every route has its guards, and that the project is what its spec makes.
fn generated() -> Yaml {
    let install = format!("cargo install --locked --git {ASTGEN} --tag v{VERSION} astgen");
    let steps = [&*install, "astgen audit .", "astgen diff . --exit-code"].map(command);
    job("Generated code", ".", Vec::new(), steps.into())
}

fn checkout() -> Yaml {
    map([("uses", pinned(CHECKOUT)), ("with", map([("persist-credentials", false)]))])
}

fn python(version: &str) -> Vec<Yaml> {
    let options = map([
        ("python-version", Yaml::from(version)),
        ("cache", "pip".into()),
        ("cache-dependency-path", "backend/requirements-dev.txt".into()),
    ]);
    vec![
        map([("uses", pinned(SETUP_PYTHON)), ("with", options)]),
        command("pip install --require-hashes --requirement requirements-dev.txt"),
    ]
}

/// The servers that tests start.
fn programs(spec: &Spec) -> Vec<Yaml> {
    let install = || command("sudo apt-get update && sudo apt-get install --yes redis-server");
    spec.jobs.has_workers().then(install).into_iter().collect()
}

fn command(line: &str) -> Yaml {
    map([("run", line)])
}

fn pinned((action, version): (&str, &'static str)) -> Yaml {
    Yaml::Remarked(action.to_owned(), version)
}
