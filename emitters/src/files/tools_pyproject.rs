//! `tools/pyproject.toml`: how the scripts beside the backend are checked.

use super::toml_document::{because, lines, list, table, tables};
use crate::spec::Spec;
use crate::{Content, Generated};
use toml_edit::{DocumentMut, value};

/// The file.
#[must_use]
pub fn emit(spec: &Spec) -> Generated {
    let ignored = lines([
        because("INP001", "each script is run by its path"),
        because("S603", "the commands are ours"),
        because("T201", "a script talks to people"),
    ]);
    let per_file = table([("extend-per-file-ignores", table([("**", ignored)]))]);
    let ruff = table([("extend", value("../backend/pyproject.toml")), ("lint", per_file)]);
    let pyright = table([
        ("include", list(["."])),
        ("typeCheckingMode", value("strict")),
        ("pythonVersion", value(spec.project.python.as_str())),
    ]);
    let mypy = table([
        ("files", list(["."])),
        ("mypy_path", value("$MYPY_CONFIG_FILE_DIR")),
        ("explicit_package_bases", value(true)),
        ("strict", value(true)),
    ]);
    let mut document = DocumentMut::new();
    document.insert("tool", tables([("mypy", mypy), ("pyright", pyright), ("ruff", ruff)]));
    let content = Content::Text(document.to_string());
    Generated { path: "tools/pyproject.toml".to_owned(), content }
}
