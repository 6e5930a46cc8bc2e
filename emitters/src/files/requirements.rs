//! `backend/requirements.txt` and `backend/requirements-dev.txt`: every package with its hashes.

use super::dependency::{Dependency, development, runtime};
use super::lock::{Package, closure};
use crate::spec::Spec;
use crate::{Content, Generated};

/// The files.
#[must_use]
pub fn emit(spec: &Spec) -> Vec<Generated> {
    let runtime = runtime(spec);
    let all: Vec<Dependency> = runtime.iter().copied().chain(development(spec)).collect();
    [("backend/requirements.txt", runtime), ("backend/requirements-dev.txt", all)]
        .into_iter()
        .map(|(path, roots)| Generated {
            path: path.to_owned(),
            content: Content::Text(requirements(&roots)),
        })
        .collect()
}

fn requirements(roots: &[Dependency]) -> String {
    closure(roots.iter().map(|root| root.name)).into_iter().map(entry).collect()
}

/// The entry of a package. Its hashes stand on lines of their own, each continued by `\`.
fn entry(package: &Package) -> String {
    let Package { name, extras, version, marker, required_by: _, hashes } = package;
    let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    let marker = marker.as_ref().map(|marker| format!(" ; {marker}")).unwrap_or_default();
    let hashes: Vec<String> = hashes.iter().map(|hash| format!("    --hash={hash}")).collect();
    format!("{name}{extras}=={version}{marker} \\\n{}\n", hashes.join(" \\\n"))
}
