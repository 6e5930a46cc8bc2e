//! `backend/pyproject.toml`: the distribution, its dependencies and the settings of its tools.

use super::dependency::{Dependency, development, runtime};
use super::toml_document::{Element, because, element, lines, list, table, tables};
use crate::spec::{PythonVersion, Spec};
use crate::{Content, Generated};
use toml_edit::{DocumentMut, Item, value};

/// Where the backend's Python is.
const SOURCES: [&str; 3] = ["app", "migrations", "tests"];

/// The file.
#[must_use]
pub fn emit(spec: &Spec) -> Generated {
    let mut document = DocumentMut::new();
    document.insert("project", project(spec));
    document.insert("dependency-groups", table([("dev", requirements(&development(spec)))]));
    document.insert("tool", tools(spec.project.python));
    Generated {
        path: "backend/pyproject.toml".to_owned(),
        content: Content::Text(document.to_string()),
    }
}

fn project(spec: &Spec) -> Item {
    let description = match spec.project.description.as_str() {
        "" => spec.project.title.as_str(),
        description => description,
    };
    table([
        ("name", value(&spec.project.name)),
        ("version", value("0.1.0")),
        ("description", value(description)),
        ("readme", value("README.md")),
        ("requires-python", value(format!(">={}", spec.project.python.as_str()))),
        ("dependencies", requirements(&runtime(spec))),
    ])
}

fn requirements(dependencies: &[Dependency]) -> Item {
    lines(dependencies.iter().map(|dependency| element(dependency.requirement())))
}

fn tools(python: PythonVersion) -> Item {
    tables([
        ("alembic", alembic()),
        ("coverage", coverage()),
        ("mypy", mypy()),
        ("pyright", pyright(python)),
        ("pytest", pytest()),
        ("ruff", ruff(python)),
    ])
}

fn alembic() -> Item {
    table([
        ("script_location", value("%(here)s/migrations")),
        ("prepend_sys_path", list(["%(here)s"])),
        ("file_template", value("%%(rev)s_%%(slug)s")),
    ])
}

/// The tests run in SQLAlchemy's greenlets, and start processes of their own.
fn coverage() -> Item {
    let run = table([
        ("branch", value(true)),
        ("concurrency", list(["greenlet", "thread"])),
        ("patch", list(["subprocess"])),
        ("source", list(["app"])),
    ]);
    let report = table([
        ("fail_under", value(95)),
        ("show_missing", value(true)),
        ("skip_covered", value(true)),
    ]);
    tables([("run", run), ("report", report)])
}

fn mypy() -> Item {
    table([("files", list(SOURCES)), ("strict", value(true)), ("warn_unreachable", value(true))])
}

fn pyright(python: PythonVersion) -> Item {
    table([
        ("include", list(SOURCES)),
        ("typeCheckingMode", value("strict")),
        ("pythonVersion", value(python.as_str())),
    ])
}

fn pytest() -> Item {
    table([
        // Its plugin is not used, and would slow down every start.
        ("addopts", list(["-ra", "-p", "no:schemathesis"])),
        ("anyio_mode", value("auto")),
        ("filterwarnings", list(["error"])),
        ("strict", value(true)),
        ("testpaths", list(["tests"])),
    ])
}

fn ruff(python: PythonVersion) -> Item {
    let target = format!("py{}", python.as_str().replace('.', ""));
    table([("line-length", value(88)), ("target-version", value(target)), ("lint", ruff_lint())])
}

fn ruff_lint() -> Item {
    table([
        ("select", list(["ALL"])),
        ("ignore", lines(ignored())),
        (
            "per-file-ignores",
            table([
                ("migrations/**", lines(ignored_in_migrations())),
                ("tests/*", lines(ignored_in_tests())),
            ]),
        ),
        ("pydocstyle", table([("convention", value("pep257"))])),
    ])
}

fn ignored() -> [Element; 6] {
    [
        because("ARG002", "a method takes what the one it overrides takes"),
        because("COM812", "the formatter owns trailing commas"),
        because("CPY001", "the license has its own file"),
        because("EM", "a message reads best where it is raised"),
        because("TC", "FastAPI, Pydantic and SQLAlchemy read annotations at run time"),
        because("TRY003", "a message reads best where it is raised"),
    ]
}

fn ignored_in_migrations() -> [Element; 2] {
    [
        because("E501", "what a migration loses is said in one string"),
        because("INP001", "Alembic loads these files by path"),
    ]
}

fn ignored_in_tests() -> [Element; 6] {
    [
        because("D103", "the name of a test says what it shows"),
        because("PLR2004", "a status code is clear where it is compared"),
        because("S101", "pytest reads plain assert"),
        because("S105", "the passwords and secrets of tests protect nothing"),
        because("S106", "the same"),
        because("S603", "the processes that tests start are ours"),
    ]
}
