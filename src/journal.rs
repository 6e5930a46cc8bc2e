//! All or nothing: a run of file changes that is finished or undone, whenever the machine stops.
//!
//! New contents are written to `.astgen/staging` first, and every file that is to change gets a second name
//! there. Then one rename puts `.astgen/journal.json` in place: before it nothing has happened, from then on the run
//! is as good as done. Each step renames a file into place; when all are there, the journal goes. A run that finds
//! a journal finishes it, or undoes it when somebody changed one of its files in between.

use crate::disk::{Entry, Root, STATE};
use crate::{Digest, Error, ProjectPath};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

const JOURNAL: &str = ".astgen/journal.json";
const STAGING: &str = ".astgen/staging";
const FORMAT: u32 = 1;

/// A file that is to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The file.
    pub path: String,
    /// The digest of what is there; `None` when nothing is.
    pub before: Option<Digest>,
    /// What is to be there; `None` to remove the file.
    pub after: Option<Vec<u8>>,
    /// A file whose permissions a new file gets.
    pub like: Option<String>,
}

/// How a run that was stopped ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// There was none.
    Nothing,
    /// It was finished.
    Finished,
    /// It was undone.
    Undone,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Journal {
    format: u32,
    /// The run is being undone.
    undo: bool,
    /// Folders that it makes.
    folders: BTreeSet<String>,
    steps: Vec<Entered>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entered {
    path: Place,
    before: Option<Digest>,
    after: Option<Digest>,
}

/// A path that a journal may name: of the project, or of astgen's own three files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Place(String);

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(path: String) -> Result<Place, String> {
        use crate::state::{ATTRIBUTES, MANIFEST, TEXTS};
        if ![ATTRIBUTES, MANIFEST, TEXTS].contains(&&*path) {
            ProjectPath::try_from(path.clone())?;
        }
        Ok(Place(path))
    }
}

impl From<Place> for String {
    fn from(place: Place) -> String {
        place.0
    }
}

/// Does all steps or none.
///
/// # Errors
/// When the operating system refuses, or a file is not what its step says: all is as it was then.
pub fn run(root: &Root, steps: &[Step]) -> Result<(), Error> {
    if steps.is_empty() {
        return Ok(());
    }
    let journal = stage(root, steps).inspect_err(|_| clear(root))?;
    finish(root, &journal).or_else(|error| {
        undo(root, journal)?;
        Err(error)
    })
}

/// Ends a run that was stopped.
///
/// # Errors
/// When the operating system refuses, or the journal cannot be read.
pub fn recover(root: &Root) -> Result<Recovered, Error> {
    let bytes = match root.read(JOURNAL)? {
        Entry::File(bytes) => bytes,
        Entry::Missing => {
            if root.exists(STAGING.as_ref()) {
                clear(root);
            }
            return Ok(Recovered::Nothing);
        }
        Entry::Other(what) => return Err(damaged(root, what.to_owned())),
    };
    let journal: Journal =
        serde_json::from_slice(&bytes).map_err(|error| damaged(root, error.to_string()))?;
    if journal.undo || !can_finish(root, &journal)? {
        undo(root, journal)?;
        return Ok(Recovered::Undone);
    }
    match finish(root, &journal) {
        Ok(()) => Ok(Recovered::Finished),
        Err(error) => undo(root, journal).and(Err(error)),
    }
}

/// Whether a run was stopped here, and waits for [`recover`].
#[must_use]
pub fn is_interrupted(root: &Root) -> bool {
    root.exists(JOURNAL.as_ref())
}

fn damaged(root: &Root, reason: String) -> Error {
    Error::Journal { path: root.path().join(JOURNAL), reason }
}

fn staged(at: usize) -> String {
    format!("{STAGING}/{at}.new")
}

fn kept(at: usize) -> String {
    format!("{STAGING}/{at}.old")
}

/// Writes all that is new, and the journal at last.
fn stage(root: &Root, steps: &[Step]) -> Result<Journal, Error> {
    root.remove_all(STAGING)?;
    root.create_folder(STAGING.as_ref())?;
    steps.par_iter().enumerate().try_for_each(|(at, step)| {
        if step.before.is_some() {
            root.link(&step.path, &kept(at))?;
        }
        match &step.after {
            Some(bytes) => {
                root.write(&staged(at), bytes, step.like.as_deref().or(Some(&step.path)))
            }
            None => Ok(()),
        }
    })?;
    root.sync_folder(STAGING)?;
    let journal = Journal {
        format: FORMAT,
        undo: false,
        folders: missing_folders(root, steps),
        steps: steps.iter().map(enter).collect(),
    };
    write(root, &journal)?;
    Ok(journal)
}

fn enter(step: &Step) -> Entered {
    Entered {
        path: Place(step.path.clone()),
        before: step.before,
        after: step.after.as_deref().map(Digest::of),
    }
}

fn missing_folders(root: &Root, steps: &[Step]) -> BTreeSet<String> {
    let new = steps.iter().filter(|step| step.after.is_some() && step.before.is_none());
    new.flat_map(|step| Path::new(&step.path).ancestors().skip(1))
        .filter(|folder| !root.exists(folder))
        .filter_map(|folder| Some(folder.to_str()?.to_owned()))
        .collect()
}

fn write(root: &Root, journal: &Journal) -> Result<(), Error> {
    let text = serde_json::to_vec(journal).unwrap_or_default();
    let new = format!("{STAGING}/journal.json");
    root.write(&new, &text, None)?;
    root.rename(&new, JOURNAL)?;
    root.sync_folder(STATE)
}

fn digest_at(root: &Root, path: &str) -> Result<Option<Digest>, Error> {
    match root.read(path)? {
        Entry::File(bytes) => Ok(Some(Digest::of(&bytes))),
        Entry::Missing => Ok(None),
        Entry::Other(what) => Err(changed(path, what)),
    }
}

fn changed(path: &str, what: &str) -> Error {
    Error::Stale { files: vec![(path.to_owned(), what.to_owned())] }
}

/// Whether every file is as the run found it or as it leaves it, and what is missing is staged.
fn can_finish(root: &Root, journal: &Journal) -> Result<bool, Error> {
    for (at, step) in journal.steps.iter().enumerate() {
        let now = match root.read(&step.path.0)? {
            Entry::File(bytes) => Some(Digest::of(&bytes)),
            Entry::Missing => None,
            Entry::Other(_) => return Ok(false),
        };
        if now == step.after {
            continue;
        }
        if now != step.before || step.after.is_some() && digest_at(root, &staged(at))? != step.after
        {
            return Ok(false);
        }
    }
    Ok(true)
}

fn finish(root: &Root, journal: &Journal) -> Result<(), Error> {
    for (at, step) in journal.steps.iter().enumerate() {
        let path = &*step.path.0;
        let now = digest_at(root, path)?;
        if now != step.after && now != step.before {
            return Err(changed(path, "changed while the plan was applied"));
        }
        match &step.after {
            Some(_) if now == step.after => (),
            Some(_) => {
                root.create_folder(parent(path))?;
                root.rename(&staged(at), path)?;
            }
            None => {
                root.remove(path)?;
                // Also when the file is gone already: the run may have been stopped just there.
                root.remove_empty_folders(parent(path));
            }
        }
    }
    end(root, journal)
}

fn undo(root: &Root, mut journal: Journal) -> Result<(), Error> {
    if !journal.undo {
        journal.undo = true;
        // On a full disk it cannot be said. What is undone already cannot be finished, so the next run goes on
        // undoing all the same.
        let _ = write(root, &journal);
    }
    for (at, step) in journal.steps.iter().enumerate().rev() {
        let path = &*step.path.0;
        let now = match root.read(path)? {
            Entry::File(bytes) => Some(Digest::of(&bytes)),
            Entry::Missing => None,
            Entry::Other(_) => continue,
        };
        // What is neither old nor new is somebody's, and stays.
        if now == step.before || now != step.after {
            continue;
        }
        if step.before.is_some() {
            root.create_folder(parent(path))?;
            root.rename(&kept(at), path)?;
        } else {
            root.remove(path)?;
        }
    }
    for folder in journal.folders.iter().rev() {
        root.remove_empty_folder(folder.as_ref());
    }
    end(root, &journal)
}

/// Lets go of the journal, once all names are on the disk.
fn end(root: &Root, journal: &Journal) -> Result<(), Error> {
    let folders: BTreeSet<&Path> = journal.steps.iter().map(|step| parent(&step.path.0)).collect();
    for folder in folders.into_iter().filter(|folder| root.exists(folder)) {
        let folder = folder.to_str().filter(|folder| !folder.is_empty()).unwrap_or(".");
        root.sync_folder(folder)?;
    }
    root.remove(JOURNAL)?;
    root.sync_folder(STATE)?;
    clear(root);
    Ok(())
}

/// Removes what only a journal needs. What cannot be removed now is removed by the next run.
fn clear(root: &Root) {
    let _ = root.remove_all(STAGING);
    root.remove_empty_folder(STATE.as_ref());
}

fn parent(path: &str) -> &Path {
    Path::new(path).parent().unwrap_or(Path::new(""))
}

#[cfg(test)]
mod tests {
    use super::{JOURNAL, Recovered, STAGING, Step, recover, run, stage, staged};
    use crate::Digest;
    use crate::disk::Root;
    use std::fs;
    use tempfile::TempDir;

    fn project() -> (TempDir, Root) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = Root::open(folder.path()).expect("a folder");
        for (name, text) in [("a", "old a"), ("b", "old b")] {
            root.write(name, text.as_bytes(), None).expect("writable");
        }
        (folder, root)
    }

    fn step(path: &str, before: Option<&str>, after: Option<&str>) -> Step {
        let before = before.map(|text| Digest::of(text.as_bytes()));
        let after = after.map(|text| text.as_bytes().to_vec());
        Step { path: path.to_owned(), before, after, like: None }
    }

    fn steps() -> [Step; 3] {
        [
            step("a", Some("old a"), Some("new a")),
            step("b", Some("old b"), None),
            step("deep/er/c", None, Some("new c")),
        ]
    }

    /// The files below a folder with their texts.
    fn tree(folder: &TempDir) -> Vec<(String, String)> {
        let files = walkdir::WalkDir::new(folder.path()).sort_by_file_name().into_iter();
        files
            .map(|entry| entry.expect("readable"))
            .filter(|entry| entry.depth() > 0)
            .map(|entry| {
                let path = entry.path().strip_prefix(folder.path()).expect("below");
                let text = fs::read_to_string(entry.path()).unwrap_or_else(|_| "/".to_owned());
                (path.display().to_string(), text)
            })
            .collect()
    }

    fn old() -> Vec<(String, String)> {
        [("a", "old a"), ("b", "old b")].map(|(path, text)| (path.into(), text.into())).to_vec()
    }

    fn new() -> Vec<(String, String)> {
        let files = [("a", "new a"), ("deep", "/"), ("deep/er", "/"), ("deep/er/c", "new c")];
        files.map(|(path, text)| (path.into(), text.into())).to_vec()
    }

    #[test]
    fn all_steps_are_done_and_nothing_is_left_behind() {
        let (folder, root) = project();
        run(&root, &steps()).expect("nothing is in the way");
        assert_eq!(tree(&folder), new());
    }

    #[test]
    fn a_run_that_stopped_before_its_journal_was_there_did_not_happen() {
        let (folder, root) = project();
        stage(&root, &steps()).expect("nothing is in the way");
        root.remove(JOURNAL).expect("it is there");
        assert_eq!(recover(&root).expect("readable"), Recovered::Nothing);
        assert_eq!(tree(&folder), old());
    }

    #[test]
    fn a_run_that_stopped_later_is_finished() {
        let (folder, root) = project();
        stage(&root, &steps()).expect("nothing is in the way");
        root.rename(&staged(0), "a").expect("it is there");
        assert_eq!(recover(&root).expect("readable"), Recovered::Finished);
        assert_eq!(tree(&folder), new());
        assert_eq!(recover(&root).expect("readable"), Recovered::Nothing);
    }

    #[test]
    fn a_run_whose_files_somebody_changed_is_undone_and_the_change_stays() {
        let (folder, root) = project();
        stage(&root, &steps()).expect("nothing is in the way");
        root.rename(&staged(0), "a").expect("it is there");
        root.write("b", b"mine", None).expect("writable");
        assert_eq!(recover(&root).expect("readable"), Recovered::Undone);
        let mut expected = old();
        expected[1].1 = "mine".to_owned();
        assert_eq!(tree(&folder), expected);
    }

    #[test]
    fn a_file_that_is_another_one_stops_the_run() {
        let (folder, root) = project();
        let steps =
            [step("a", Some("old a"), Some("new a")), step("b", Some("other"), Some("new b"))];
        assert!(run(&root, &steps).is_err());
        assert_eq!(tree(&folder), old());
    }

    #[test]
    fn a_journal_names_no_place_outside() {
        let (_folder, root) = project();
        root.create_folder(STAGING.as_ref()).expect("writable");
        for path in ["../x", "/etc/x", ".git/config", ".astgen/journal.json"] {
            let journal = serde_json::json!({
                "format": 1, "undo": false, "folders": [],
                "steps": [{"path": path, "before": null, "after": null}],
            });
            root.write(JOURNAL, journal.to_string().as_bytes(), None).expect("writable");
            assert!(recover(&root).is_err(), "{path}");
        }
    }
}
