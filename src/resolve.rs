//! Ending a conflict: a person has decided which text a file gets.

use crate::apply::{move_on, state_steps};
use crate::disk::{Entry, Root};
use crate::journal::{self, Step};
use crate::merge::Language;
use crate::merge::conflict::has_markers;
use crate::merge::text::{decode, encode};
use crate::outline;
use crate::plan::{CONFLICTS, Conflicts, VERSION};
use crate::state::manifest::Manifest;
use crate::state::texts::Texts;
use crate::state::{self, State};
use crate::{Digest, Error, ProjectPath};

/// Which text a file gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The file's own: it stays as it is.
    Ours,
    /// What is generated.
    Theirs,
    /// That of `<path>.new`, which somebody has edited.
    Edited,
}

/// Ends the conflict of the file at `path`. Gives the files that still wait.
///
/// # Errors
/// When there is no conflict, or the text is not finished; nothing is changed then.
pub fn resolve(root: &Root, path: &str, choice: Choice) -> Result<Vec<ProjectPath>, Error> {
    let path = ProjectPath::parse(path.strip_suffix(".new").unwrap_or(path))
        .map_err(Error::unsafe_path(path))?;
    let state = State::read(root)?.unwrap_or_else(State::unknown);
    let mut manifest = state.manifest;
    let texts = state::read_texts(root)?;
    let waits = |origin: &&ProjectPath| manifest.place(origin) == &path || **origin == path;
    let origin = manifest.pending.keys().find(waits).cloned();
    let beside = format!("{path}.new");
    let new = root.read(&beside)?;
    if origin.is_none() && new == Entry::Missing {
        return Err(Error::NoConflict(path));
    }
    let conflict = Conflict { root, path: &path, origin: origin.as_ref(), new: &new };
    let mut steps = conflict.steps(&manifest, &texts, choice)?;
    if let Entry::File(bytes) = &new {
        let before = Some(Digest::of(bytes));
        steps.push(Step { path: beside, before, after: None, like: None });
    }
    if let Some(origin) = &origin {
        let generated = manifest.pending.get(origin).and_then(|pending| pending.generated);
        move_on(&mut manifest, origin, generated);
        steps.extend(state_steps(root, &manifest, &texts)?);
    }
    steps.extend(without_conflict(root, &path)?);
    journal::run(root, &steps)?;
    Ok(manifest.pending.keys().map(|origin| manifest.place(origin).clone()).collect())
}

struct Conflict<'a> {
    root: &'a Root,
    path: &'a ProjectPath,
    /// Where the file is generated; `None` when the plan was not astgen's own.
    origin: Option<&'a ProjectPath>,
    new: &'a Entry,
}

impl Conflict<'_> {
    /// What has to happen to the file itself.
    fn steps(
        &self,
        manifest: &Manifest,
        texts: &Texts,
        choice: Choice,
    ) -> Result<Vec<Step>, Error> {
        let ours = self.root.read(self.path)?;
        let after = match choice {
            Choice::Ours => return Ok(Vec::new()),
            Choice::Edited => Some(self.edited()?),
            Choice::Theirs => self.generated(manifest, texts, &ours)?,
        };
        let before = match &ours {
            Entry::File(bytes) => Some(Digest::of(bytes)),
            Entry::Missing => None,
            Entry::Other(what) => return Err(self.unfinished(what)),
        };
        if before == after.as_deref().map(Digest::of) {
            return Ok(Vec::new());
        }
        Ok(vec![Step { path: self.path.to_string(), before, after, like: None }])
    }

    /// The text of `<path>.new`, if it is finished.
    fn edited(&self) -> Result<Vec<u8>, Error> {
        let Entry::File(bytes) = self.new else {
            return Err(self.unfinished("has no file `.new` beside it: say --ours or --theirs"));
        };
        let text = decode(bytes).map_err(|reason| self.unfinished(&format!(".new: {reason}")))?;
        if has_markers(&text.text) {
            return Err(self.unfinished(".new still has conflict markers in it"));
        }
        if Language::of(self.path.as_ref()) == Language::Python
            && outline::outline(&text.text).is_none()
        {
            return Err(self.unfinished(".new is not Python"));
        }
        Ok(bytes.clone())
    }

    /// What is generated now, with the habits of the file.
    fn generated(
        &self,
        manifest: &Manifest,
        texts: &Texts,
        ours: &Entry,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Some(origin) = self.origin else { return self.edited().map(Some) };
        let Some(digest) = manifest.pending.get(origin).and_then(|pending| pending.generated)
        else {
            return Ok(None);
        };
        let text = texts.get(&digest).ok_or_else(|| {
            self.unfinished("is generated with a text that .astgen/texts has lost: build again")
        })?;
        let habits = ours.bytes().and_then(|bytes| decode(bytes).ok());
        Ok(Some(habits.map_or_else(|| text.as_bytes().to_vec(), |habits| encode(text, &habits))))
    }

    fn unfinished(&self, what: &str) -> Error {
        Error::Unfinished { path: self.path.clone(), what: what.to_owned() }
    }
}

/// The step that takes a file out of `conflicts.json`, if it is listed there.
fn without_conflict(root: &Root, path: &ProjectPath) -> Result<Option<Step>, Error> {
    let Entry::File(bytes) = root.read(CONFLICTS)? else { return Ok(None) };
    let Ok(mut listed) = serde_json::from_slice::<Conflicts>(&bytes) else { return Ok(None) };
    let all = listed.conflicts.len();
    listed.conflicts.retain(|conflict| conflict.path != *path);
    if listed.version != VERSION || listed.conflicts.len() == all {
        return Ok(None);
    }
    let before = Some(Digest::of(&bytes));
    let after = Some(listed.text().into_bytes());
    Ok(Some(Step { path: CONFLICTS.to_owned(), before, after, like: None }))
}
