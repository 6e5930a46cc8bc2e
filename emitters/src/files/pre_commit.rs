//! `.pre-commit-config.yaml`: what is checked before a commit, with the tools that the project has anyway.

use super::yaml::{Yaml, list, map, print};
use crate::{Content, Generated};

/// The file.
#[must_use]
pub fn emit() -> Generated {
    let hooks = [
        python("ruff-format", "ruff format --force-exclude"),
        python("ruff-check", "ruff check --force-exclude"),
        whole("bandit", "bandit --quiet --recursive backend/app"),
        whole("audit", "astgen audit ."),
    ];
    let local = map([("repo", Yaml::from("local")), ("hooks", list(hooks))]);
    let document = map([("repos", list([local]))]);
    Generated {
        path: ".pre-commit-config.yaml".to_owned(),
        content: Content::Text(print(&document)),
    }
}

fn python(id: &str, entry: &str) -> Yaml {
    map([
        ("id", Yaml::from(id)),
        ("name", id.into()),
        ("entry", entry.into()),
        ("language", "system".into()),
        ("types", list(["python"])),
    ])
}

fn whole(id: &str, entry: &str) -> Yaml {
    map([
        ("id", Yaml::from(id)),
        ("name", id.into()),
        ("entry", entry.into()),
        ("language", "system".into()),
        ("types", list(["python"])),
        ("pass_filenames", false.into()),
    ])
}
