//! Finding files that people moved: by likeness, since nothing else tells.

use crate::disk::{Entry, Listed, Root};
use crate::{Error, ProjectPath};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Lines that two files must share, of all their lines.
const LIKE: f64 = 0.6;
/// Files of fewer lines look alike too easily: they must be equal.
const SHORT: usize = 5;
/// Folders that hold what nobody wrote.
const SKIPPED: [&str; 3] = ["node_modules", "__pycache__", "site-packages"];
/// A virtual environment has this file at its root.
const ENVIRONMENT: &str = "pyvenv.cfg";
/// No source file is larger.
const LARGEST: u64 = 4 << 20;

/// Where the files are that are missing at their places: `missing` holds their last generated texts, `known`
/// the paths that belong to other files.
///
/// # Errors
/// When the operating system refuses to read a candidate.
pub fn find(
    root: &Root,
    missing: &BTreeMap<&ProjectPath, &str>,
    known: &BTreeSet<&str>,
) -> Result<BTreeMap<ProjectPath, ProjectPath>, Error> {
    let mut candidates = Vec::new();
    for path in walk(root, missing) {
        if known.contains(path.as_str()) {
            continue;
        }
        if let Entry::File(bytes) = root.read(&path)? {
            candidates.push((path, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    Ok(assign(missing, &candidates))
}

/// Each file gets the candidate that is most like it, and no candidate is given twice.
fn assign(
    missing: &BTreeMap<&ProjectPath, &str>,
    candidates: &[(ProjectPath, String)],
) -> BTreeMap<ProjectPath, ProjectPath> {
    let candidates: Vec<_> = candidates.iter().map(|(place, text)| (place, lines(text))).collect();
    let mut pairs = Vec::new();
    for (path, text) in missing {
        let text = lines(text);
        for (place, candidate) in &candidates {
            if extension(path) == extension(place) && is_like_in_length(&text, candidate) {
                pairs.push((likeness(&text, candidate), name(path) == name(place), *path, *place));
            }
        }
    }
    pairs.retain(|pair| pair.0 >= LIKE);
    // The most alike first; a file that kept its name before one that did not; then by name.
    pairs.sort_by(|one, other| {
        other
            .0
            .total_cmp(&one.0)
            .then(other.1.cmp(&one.1))
            .then((one.2, one.3).cmp(&(other.2, other.3)))
    });
    let (mut found, mut taken) = (BTreeMap::new(), BTreeSet::new());
    for (_, _, path, place) in pairs {
        if !found.contains_key(path) && taken.insert(place) {
            found.insert(path.clone(), place.clone());
        }
    }
    found
}

/// Whether two files can be alike at all.
fn is_like_in_length(one: &[&str], other: &[&str]) -> bool {
    let (shorter, longer) = (one.len().min(other.len()), one.len().max(other.len()));
    share(shorter, shorter + longer) >= LIKE
}

/// The share of lines that two texts have in common.
fn likeness(one: &[&str], other: &[&str]) -> f64 {
    if one.len().min(other.len()) < SHORT {
        return if one == other && !one.is_empty() { 1.0 } else { 0.0 };
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    one.iter().for_each(|line| *counts.entry(line).or_default() += 1);
    let shared = other.iter().filter(|line| match counts.get_mut(**line) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    });
    share(shared.count(), one.len() + other.len())
}

#[expect(clippy::cast_precision_loss, reason = "numbers of lines are far below 2^52")]
fn share(shared: usize, all: usize) -> f64 {
    (2 * shared) as f64 / all.max(1) as f64
}

/// The lines that count: without indentation and blank ones.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

fn extension(path: &ProjectPath) -> Option<&str> {
    Path::new(path.as_str()).extension()?.to_str()
}

fn name(path: &ProjectPath) -> &str {
    path.as_str().rsplit('/').next().unwrap_or_default()
}

/// Files that have the extension of a missing one.
fn walk(root: &Root, missing: &BTreeMap<&ProjectPath, &str>) -> Vec<ProjectPath> {
    let wanted: BTreeSet<Option<&str>> = missing.keys().map(|path| extension(path)).collect();
    let (mut found, mut folders) = (Vec::new(), vec![PathBuf::new()]);
    while let Some(folder) = folders.pop() {
        let listed = root.list(&folder);
        if listed.contains_key(ENVIRONMENT) {
            continue;
        }
        for (name, kind) in listed {
            let path = folder.join(&name);
            match kind {
                Listed::Folder if !name.starts_with('.') && !SKIPPED.contains(&&*name) => {
                    folders.push(path);
                }
                Listed::File { size } if size <= LARGEST => {
                    let path = path.to_str().and_then(|path| ProjectPath::parse(path).ok());
                    found.extend(path.filter(|path| wanted.contains(&extension(path))));
                }
                Listed::Folder | Listed::File { .. } => (),
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::assign;
    use crate::ProjectPath;
    use std::collections::BTreeMap;

    fn path(path: &str) -> ProjectPath {
        ProjectPath::parse(path).expect("a good path")
    }

    #[track_caller]
    fn check(missing: &[(&str, &str)], candidates: &[(&str, &str)], expected: &[(&str, &str)]) {
        let paths: Vec<_> = missing.iter().map(|(name, text)| (path(name), *text)).collect();
        let missing: BTreeMap<_, _> = paths.iter().map(|(path, text)| (path, *text)).collect();
        let candidates: Vec<_> =
            candidates.iter().map(|(name, text)| (path(name), (*text).to_owned())).collect();
        let expected: BTreeMap<_, _> =
            expected.iter().map(|(from, to)| (path(from), path(to))).collect();
        assert_eq!(assign(&missing, &candidates), expected);
    }

    const TEXT: &str = "a = 1\nb = 2\nc = 3\nd = 4\ne = 5\nf = 6\n";

    #[test]
    fn a_moved_file_is_found_by_its_lines() {
        let edited = TEXT.replace("c = 3", "c = 7") + "g = 7\n";
        check(
            &[("x/a.py", TEXT)],
            &[("y/b.py", &edited), ("y/c.py", "no\n")],
            &[("x/a.py", "y/b.py")],
        );
        check(&[("x/a.py", TEXT)], &[("y/a.txt", TEXT)], &[]);
        check(&[("x/a.py", TEXT)], &[("y/a.py", "a = 1\nq\nr\ns\nt\nu\n")], &[]);
    }

    #[test]
    fn no_place_is_given_twice() {
        let missing = [("x/a.py", TEXT), ("x/b.py", TEXT)];
        check(&missing, &[("y/b.py", TEXT)], &[("x/b.py", "y/b.py")]);
        let both = [("y/a.py", TEXT), ("y/b.py", TEXT)];
        check(&missing, &both, &[("x/a.py", "y/a.py"), ("x/b.py", "y/b.py")]);
    }

    #[test]
    fn short_files_must_be_equal() {
        check(&[("x/__init__.py", "")], &[("y/__init__.py", "")], &[]);
        check(&[("x/a.py", "a = 1\n")], &[("y/a.py", "a = 1\n")], &[("x/a.py", "y/a.py")]);
        check(&[("x/a.py", "a = 1\n")], &[("y/a.py", "a = 2\n")], &[]);
    }
}
