//! The state of a project: what was generated last. It lives in the project and is committed with it.
//!
//! `.astgen/manifest.json` names it by digest, `.astgen/texts` holds it whole, and `.astgen/.gitattributes` keeps
//! git from rewriting either and lets it merge them when it merges two branches.
//!
//! Every text is checked against its digest when it is read. What is missing or damaged is said, and costs
//! nothing but knowledge: [`crate::regions`] tells then what nobody edited.

pub mod manifest;
mod packed;
pub mod texts;

use crate::disk::{Entry, Root};
use crate::{Digest, Error, ProjectPath};
use manifest::{FORMAT, Manifest, salvage};
use std::collections::BTreeMap;
use texts::Texts;

/// Where the manifest is, relative to the project's folder.
pub const MANIFEST: &str = ".astgen/manifest.json";
/// Where the texts are.
pub const TEXTS: &str = ".astgen/texts";
/// Where git finds what to do with them.
pub const ATTRIBUTES: &str = ".astgen/.gitattributes";

/// The texts of conflicts that wait are kept under the path of the file that a person finds them in.
const PENDING: &str = ".new";

/// What git is told: to leave the bytes alone, and to merge by keeping the lines of both sides.
pub const ATTRIBUTES_TEXT: &str = "\
# Written by astgen. Commit this folder: the next build needs it to keep your edits.
* -text
manifest.json merge=union
texts -diff merge=union linguist-generated
";

/// What was generated last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The manifest.
    pub manifest: Manifest,
    /// More digests of a path than the manifest's one: git merged two branches.
    alternatives: BTreeMap<ProjectPath, Vec<Digest>>,
    /// What a person should know of how the state was found.
    pub notes: Vec<String>,
}

impl State {
    /// The state of a project; `None` when there is none.
    ///
    /// # Errors
    /// When it was written by a newer astgen in a format that this one does not know, or the operating system
    /// refuses.
    pub fn read(root: &Root) -> Result<Option<State>, Error> {
        match root.read(MANIFEST)? {
            Entry::File(bytes) => State::parse(root, &bytes).map(Some),
            Entry::Missing if !root.exists(TEXTS.as_ref()) => Ok(None),
            Entry::Missing => State::rebuilt(root, "is missing", Vec::new()).map(Some),
            Entry::Other(what) => State::rebuilt(root, what, Vec::new()).map(Some),
        }
    }

    /// The state of a project of which nothing is known.
    #[must_use]
    pub fn unknown() -> State {
        State { manifest: Manifest::empty(), alternatives: BTreeMap::new(), notes: Vec::new() }
    }

    fn parse(root: &Root, bytes: &[u8]) -> Result<State, Error> {
        let text = String::from_utf8_lossy(bytes);
        if let Some(format) = format_of(&text).filter(|format| *format > u64::from(FORMAT)) {
            return Err(Error::NewerState { path: root.path().join(MANIFEST), format });
        }
        match serde_json::from_str::<Manifest>(&text) {
            Ok(manifest) => {
                let notes = notes_on_version(&manifest);
                Ok(State { manifest, alternatives: BTreeMap::new(), notes })
            }
            Err(_) => State::rebuilt(root, "is not whole", salvage(&text)),
        }
    }

    /// A state from the lines of a manifest that can still be read, and from the texts.
    fn rebuilt(root: &Root, what: &str, lines: Vec<(ProjectPath, Digest)>) -> Result<State, Error> {
        let texts = read_texts(root)?;
        let kept = texts.digests().iter().filter(|(path, _)| !path.as_str().ends_with(PENDING));
        let kept = kept.flat_map(|(path, digests)| digests.iter().map(|it| (path.clone(), *it)));
        let mut found: BTreeMap<ProjectPath, Vec<Digest>> = BTreeMap::new();
        for (path, digest) in lines.into_iter().chain(kept) {
            let digests = found.entry(path).or_default();
            if !digests.contains(&digest) {
                digests.push(digest);
            }
        }
        let mut manifest = Manifest::empty();
        for (path, digests) in &found {
            manifest.files.extend(digests.first().map(|digest| (path.clone(), *digest)));
        }
        let notes = vec![format!(
            "{MANIFEST} {what} (two branches merged by git, say): what was generated last is known for {} \
             files, and the next apply writes it anew",
            found.len()
        )];
        Ok(State { manifest, alternatives: found, notes })
    }

    /// What may have been generated last for a path: one digest, or several after git merged two branches.
    #[must_use]
    pub fn bases(&self, path: &ProjectPath) -> Vec<Digest> {
        match self.alternatives.get(path) {
            Some(digests) => digests.clone(),
            None => self.manifest.files.get(path).copied().into_iter().collect(),
        }
    }

    /// Whether nothing is left from earlier builds, and all files come from one spec and this generator.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let manifest = &self.manifest;
        self.alternatives.is_empty()
            && manifest.format == FORMAT
            && manifest.pending.is_empty()
            && manifest.generator == astgen_emitters::GENERATOR
            && !manifest.spec.is_empty()
    }
}

/// The texts that a project holds; those that are damaged are left out.
///
/// # Errors
/// When the operating system refuses.
pub fn read_texts(root: &Root) -> Result<Texts, Error> {
    Ok(match root.read(TEXTS)? {
        Entry::File(bytes) => Texts::read(&String::from_utf8_lossy(&bytes)),
        Entry::Missing | Entry::Other(_) => Texts::default(),
    })
}

fn format_of(manifest: &str) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: u64,
    }
    serde_json::from_str::<Format>(manifest).ok().map(|found| found.format)
}

fn notes_on_version(manifest: &Manifest) -> Vec<String> {
    let mut notes = Vec::new();
    if manifest.format < FORMAT {
        notes.push(format!(
            "the state in {MANIFEST} is of format {} and holds no texts: files that nobody edited are brought up \
             to date, edited ones are compared by their regions, and the next apply writes format {FORMAT}",
            manifest.format
        ));
    }
    match compare_versions(&manifest.generator) {
        Some(std::cmp::Ordering::Less) => notes.push(format!(
            "the project was generated by astgen {}; this is {}: what the newer one generates differently is \
             in the plan too",
            manifest.generator,
            astgen_emitters::GENERATOR
        )),
        Some(std::cmp::Ordering::Greater) => notes.push(format!(
            "the project was generated by astgen {}, which is newer than this {}: the plan takes back what the \
             newer one generates differently",
            manifest.generator,
            astgen_emitters::GENERATOR
        )),
        _ => (),
    }
    notes
}

/// How the version of a generator compares to this one's, build metadata aside.
fn compare_versions(generator: &str) -> Option<std::cmp::Ordering> {
    let numbers = |version: &str| -> Option<Vec<u64>> {
        let (version, _) = version.split_once('+').unwrap_or((version, ""));
        version.split('.').map(|number| number.parse().ok()).collect()
    };
    Some(numbers(generator)?.cmp(&numbers(astgen_emitters::GENERATOR)?))
}

/// The files of `.astgen` that say what was generated, by their paths; each in pieces.
#[must_use]
pub fn files(manifest: &Manifest, texts: &Texts) -> [(&'static str, Vec<String>); 3] {
    let applied = manifest.files.iter().map(|(path, digest)| (path.clone(), vec![*digest]));
    let waiting = manifest.pending.iter().filter_map(|(path, pending)| {
        Some((path.with_suffix(PENDING).ok()?, vec![pending.generated?]))
    });
    let wanted: BTreeMap<ProjectPath, Vec<Digest>> = applied.chain(waiting).collect();
    [
        (ATTRIBUTES, vec![ATTRIBUTES_TEXT.to_owned()]),
        (TEXTS, texts.write(&wanted)),
        (MANIFEST, vec![manifest.text()]),
    ]
}
