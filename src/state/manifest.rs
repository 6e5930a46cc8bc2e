//! `.astgen/manifest.json`: what was generated last, by digest.

use crate::{Digest, ProjectPath};
use astgen_emitters::spec::Spec;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the format that this astgen writes. The first one knew no texts.
pub const FORMAT: u32 = 2;

/// What the last applied build made. It holds no time, no secret and no path of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this format.
    pub format: u32,
    /// The version of astgen that built the project.
    pub generator: String,
    /// The name of the project.
    #[serde(default)]
    pub project: String,
    /// The digest of the resolved spec that all files come from; empty when they come from several.
    pub spec: String,
    /// The digest of what was generated last for each file.
    pub files: BTreeMap<ProjectPath, Digest>,
    /// Files of `files` that people moved: to where.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<ProjectPath, ProjectPath>,
    /// Files whose conflict nobody has resolved yet.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pending: BTreeMap<ProjectPath, Pending>,
}

/// A conflict that waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// What was generated; `None` when the file is no longer generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated: Option<Digest>,
    /// What was written to `<path>.new`, if anything was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Digest>,
}

impl Manifest {
    /// A manifest of no files.
    #[must_use]
    pub fn empty() -> Manifest {
        Manifest {
            format: FORMAT,
            generator: String::new(),
            project: String::new(),
            spec: String::new(),
            files: BTreeMap::new(),
            moved: BTreeMap::new(),
            pending: BTreeMap::new(),
        }
    }

    /// Says what all files come from now: a spec, and this astgen.
    pub fn stamp(&mut self, spec: &Spec) {
        self.format = FORMAT;
        self.generator = astgen_emitters::GENERATOR.to_owned();
        self.project = spec.project.name.to_string();
        self.spec = astgen_emitters::spec::digest(spec);
    }

    /// The digest of all generated paths and their digests, those of conflicts that wait included.
    #[must_use]
    pub fn tree(&self) -> Digest {
        let mut files: BTreeMap<&ProjectPath, Digest> =
            self.files.iter().map(|(path, digest)| (path, *digest)).collect();
        for (path, pending) in &self.pending {
            match pending.generated {
                Some(digest) => _ = files.insert(path, digest),
                None => _ = files.remove(path),
            }
        }
        tree(files)
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        // Only maps whose keys are not strings cannot be written.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Where people keep the file that is generated at `path`.
    #[must_use]
    pub fn place<'a>(&'a self, path: &'a ProjectPath) -> &'a ProjectPath {
        self.moved.get(path).unwrap_or(path)
    }
}

/// The digest of paths and their digests, which come in the order of the paths.
#[must_use]
pub fn tree<'a>(files: impl IntoIterator<Item = (&'a ProjectPath, Digest)>) -> Digest {
    let lines: String =
        files.into_iter().map(|(path, digest)| format!("{digest} {path}\n")).collect();
    Digest::of(lines.as_bytes())
}

/// Every `"path": "digest"` line of a manifest that is not JSON any more: one that git merged from two branches
/// line by line, say, with or without markers. A path can have several digests.
#[must_use]
pub fn salvage(text: &str) -> Vec<(ProjectPath, Digest)> {
    text.lines().filter_map(salvage_line).collect()
}

fn salvage_line(line: &str) -> Option<(ProjectPath, Digest)> {
    let (path, digest) = line.trim().trim_end_matches(',').split_once(": ")?;
    let path: String = serde_json::from_str(path).ok()?;
    let digest: String = serde_json::from_str(digest).ok()?;
    let is_other = matches!(&*path, "spec" | "generated" | "written");
    let entry = (ProjectPath::parse(path).ok()?, Digest::parse(&digest)?);
    (!is_other).then_some(entry)
}

#[cfg(test)]
mod tests {
    use super::{Manifest, salvage};
    use crate::{Digest, ProjectPath};

    fn path(path: &str) -> ProjectPath {
        ProjectPath::parse(path).expect("a good path")
    }

    #[test]
    fn both_sides_of_a_merge_are_read() {
        let mut manifest = Manifest::empty();
        manifest.spec = Digest::of(b"spec").to_string();
        manifest.files.insert(path("a.py"), Digest::of(b"a"));
        manifest.files.insert(path("b.py"), Digest::of(b"b"));
        let text = manifest.text();
        let last = text.lines().find(|line| line.contains("b.py")).expect("a line");
        let other = last.replace(&Digest::of(b"b").to_string(), &Digest::of(b"c").to_string());
        let merged =
            text.replace(last, &format!("<<<<<<< ours\n{last}\n=======\n{other}\n>>>>>>>"));
        let expected = [("a.py", b"a"), ("b.py", b"b"), ("b.py", b"c")];
        assert_eq!(salvage(&merged), expected.map(|(name, text)| (path(name), Digest::of(text))));
    }
}
