//! Applying a plan: every file is checked against what the plan saw, then all is done, or nothing.

use crate::disk::{Entry, Root};
use crate::journal::{self, Step};
use crate::plan::{Action, ActionType, Plan};
use crate::regions::regions;
use crate::state::manifest::{Manifest, Pending};
use crate::state::texts::Texts;
use crate::state::{self, State};
use crate::{Digest, Error, ProjectPath};
use serde::Serialize;
use std::fmt;

/// What becomes of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// The file is written; it was not there.
    Created,
    /// The file is brought up to date.
    Updated,
    /// The file gets what is new beside its edits.
    Merged,
    /// The file is removed.
    Deleted,
    /// The file stays; `<path>.new` shows what clashes.
    Conflict,
    /// The file stays, and so does a `<path>.new` that somebody edited.
    ConflictInWork,
    /// The file is as it should be.
    Done,
}

impl Deed {
    /// Whether something is left to a person.
    #[must_use]
    pub fn is_conflict(self) -> bool {
        matches!(self, Deed::Conflict | Deed::ConflictInWork)
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Deed::Created => "create",
            Deed::Updated => "update",
            Deed::Merged => "merge",
            Deed::Deleted => "delete",
            Deed::Conflict | Deed::ConflictInWork => "conflict",
            Deed::Done => "done",
        })
    }
}

/// What applying a plan does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// What becomes of each action, in their order.
    pub deeds: Vec<(ProjectPath, Deed)>,
    steps: Vec<Step>,
}

impl Effect {
    /// Whether applying changes nothing.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.steps.is_empty()
    }

    /// The files of one fate.
    pub fn of(&self, deed: Deed) -> impl Iterator<Item = &ProjectPath> {
        self.deeds.iter().filter(move |(_, other)| *other == deed).map(|(path, _)| path)
    }

    /// Whether a conflict is left to a person.
    #[must_use]
    pub fn has_conflicts(&self) -> bool {
        self.deeds.iter().any(|(_, deed)| deed.is_conflict())
    }
}

/// What applying `plan` would do. Nothing is written.
///
/// # Errors
/// When a file is not what the plan saw any more, or the operating system refuses to read one.
pub fn effect(root: &Root, plan: &Plan) -> Result<Effect, Error> {
    let state = State::read(root)?;
    if state.as_ref().is_some_and(|state| is_up_to_date(state, plan)) {
        return Ok(Effect { deeds: Vec::new(), steps: Vec::new() });
    }
    let mut work = Work {
        root,
        is_own: !plan.generator.is_empty(),
        manifest: state.as_ref().map_or_else(Manifest::empty, |state| state.manifest.clone()),
        state: state.unwrap_or_else(State::unknown),
        texts: state::read_texts(root)?,
        steps: Vec::new(),
        stale: Vec::new(),
    };
    let mut deeds = Vec::new();
    for action in &plan.actions {
        deeds.push((action.path.clone(), work.action(action)?));
    }
    if !work.stale.is_empty() {
        return Err(Error::Stale { files: work.stale });
    }
    if work.is_own {
        work.settle(plan)?;
    }
    Ok(Effect { deeds, steps: work.steps })
}

/// A plan without actions of the spec and the generator that the state comes from: the texts, the larger part of the
/// state, need not even be read.
fn is_up_to_date(state: &State, plan: &Plan) -> bool {
    let made_by = (&state.manifest.generator, &state.manifest.spec, Some(state.manifest.tree()));
    plan.is_empty() && state.is_settled() && made_by == (&plan.generator, &plan.spec, plan.tree)
}

/// Does what [`effect`] says.
///
/// # Errors
/// When a file is not what the plan saw any more, or the operating system refuses: all is as it was then.
pub fn apply(root: &Root, plan: &Plan) -> Result<Effect, Error> {
    let effect = effect(root, plan)?;
    journal::run(root, &effect.steps)?;
    Ok(effect)
}

struct Work<'a> {
    root: &'a Root,
    /// Whether astgen made the plan: another one says nothing of what is generated.
    is_own: bool,
    state: State,
    /// The state to be.
    manifest: Manifest,
    texts: Texts,
    steps: Vec<Step>,
    stale: Vec<(String, String)>,
}

impl Work<'_> {
    fn action(&mut self, action: &Action) -> Result<Deed, Error> {
        let entry = self.root.read(&action.path)?;
        let now = entry.bytes().map(Digest::of);
        let deed = match (&entry, action.kind) {
            (Entry::Other(_), ActionType::Conflict) => self.conflict(action)?,
            (Entry::Other(what), _) => self.refuse(action, what),
            (_, ActionType::Conflict) if self.is_resolved(action) => Deed::Done,
            (_, ActionType::Conflict) if self.is_as_seen(action, now) => self.conflict(action)?,
            (_, ActionType::Delete) => self.delete(action, now)?,
            (Entry::File(bytes), _) if action.text().map(str::as_bytes) == Some(bytes) => {
                Deed::Done
            }
            _ if !self.is_as_seen(action, now) => {
                self.refuse(action, "is not what the plan saw any more")
            }
            (Entry::File(bytes), _)
                if action.ours.is_none() && !self.may_overwrite(action, bytes) =>
            {
                self.conflict(action)?
            }
            _ => self.write(action, now),
        };
        if self.is_own && deed != Deed::Done && !self.is_base_as_seen(action) {
            return Ok(self.refuse(action, "was brought up to date by another run since"));
        }
        if self.is_own {
            self.record(action, deed);
        }
        Ok(deed)
    }

    fn refuse(&mut self, action: &Action, what: &str) -> Deed {
        self.stale.push((action.path.to_string(), what.to_owned()));
        Deed::Done
    }

    /// Whether the file is the one that the plan saw. One that astgen did not make may not say what it saw.
    fn is_as_seen(&self, action: &Action, now: Option<Digest>) -> bool {
        match action.ours {
            Some(ours) => now == Some(ours),
            None => now.is_none() || !self.is_own,
        }
    }

    /// Whether what was generated last is what the plan took for it.
    fn is_base_as_seen(&self, action: &Action) -> bool {
        let bases = self.state.bases(action.origin());
        let seen = [action.base, action.theirs];
        bases.is_empty() || bases.iter().any(|base| seen.contains(&Some(*base)))
    }

    /// Whether a plan that does not say what it saw may overwrite a file: never one with edits that astgen knows of.
    fn may_overwrite(&self, action: &Action, bytes: &[u8]) -> bool {
        let bases = self.state.bases(&action.path);
        if !bases.is_empty() || action.kind == ActionType::Create {
            return bases.contains(&Digest::of(bytes));
        }
        let text = String::from_utf8_lossy(bytes);
        regions(&text).iter().all(|region| region.is_pristine)
    }

    fn is_resolved(&self, action: &Action) -> bool {
        let origin = action.origin();
        let is_waiting = self.state.manifest.pending.contains_key(origin);
        let moved_on = self.state.manifest.files.get(origin).copied() == action.theirs;
        self.is_own && !is_waiting && moved_on && action.base != action.theirs
    }

    fn write(&mut self, action: &Action, now: Option<Digest>) -> Deed {
        let bytes = action.text().unwrap_or_default().as_bytes().to_vec();
        let path = action.path.to_string();
        self.steps.push(Step { path, before: now, after: Some(bytes), like: None });
        match (now, action.kind) {
            (None, _) => Deed::Created,
            (_, ActionType::Merge) => Deed::Merged,
            _ => Deed::Updated,
        }
    }

    fn delete(&mut self, action: &Action, now: Option<Digest>) -> Result<Deed, Error> {
        let Some(digest) = now else { return Ok(Deed::Done) };
        let is_pristine = self.state.bases(action.origin()).contains(&digest);
        match action.ours {
            Some(ours) if ours != digest => {
                return Ok(self.refuse(action, "is not what the plan saw any more"));
            }
            None if !is_pristine => return self.conflict(action),
            _ => (),
        }
        let path = action.path.to_string();
        self.steps.push(Step { path, before: now, after: None, like: None });
        Ok(Deed::Deleted)
    }

    /// Leaves the file and writes `<path>.new`, unless somebody works on that.
    fn conflict(&mut self, action: &Action) -> Result<Deed, Error> {
        let Some(text) = action.text() else { return Ok(Deed::Conflict) };
        let path = format!("{}.new", action.path);
        let after = Some(text.as_bytes().to_vec());
        let like = Some(action.path.to_string());
        let written = self.pending(action).and_then(|pending| pending.written);
        match self.root.read(&path)? {
            Entry::Missing => self.steps.push(Step { path, before: None, after, like }),
            Entry::File(bytes) if bytes == text.as_bytes() => (),
            Entry::File(bytes) if written == Some(Digest::of(&bytes)) => {
                self.steps.push(Step { path, before: written, after, like });
            }
            Entry::File(_) => return Ok(Deed::ConflictInWork),
            // Nothing can be written there, and the plan's reason says why.
            Entry::Other(_) => (),
        }
        Ok(Deed::Conflict)
    }

    fn pending(&self, action: &Action) -> Option<&Pending> {
        self.state.manifest.pending.get(action.origin())
    }

    /// Moves the state on for what is applied, and for that alone.
    fn record(&mut self, action: &Action, deed: Deed) {
        let origin = action.origin().clone();
        if let Some(text) = action.generated_text() {
            self.texts.insert(&origin, text);
        }
        if action.generated_path.is_some() {
            self.manifest.moved.insert(origin.clone(), action.path.clone());
        }
        let known = self.pending(action).and_then(|pending| pending.written);
        let written = match deed {
            Deed::Conflict => action.text().map(|text| Digest::of(text.as_bytes())),
            Deed::ConflictInWork => known,
            _ => return self.move_on(&origin, action.theirs),
        };
        self.manifest.pending.insert(origin, Pending { generated: action.theirs, written });
    }

    fn move_on(&mut self, origin: &ProjectPath, generated: Option<Digest>) {
        move_on(&mut self.manifest, origin, generated);
    }

    /// Records what needs no action, and puts the state's own files last.
    fn settle(&mut self, plan: &Plan) -> Result<(), Error> {
        for settled in &plan.settled {
            let digest =
                settled.generated.as_deref().map(|text| self.texts.insert(&settled.path, text));
            if let Some(place) = &settled.moved_to {
                self.manifest.moved.insert(settled.path.clone(), place.clone());
            }
            self.move_on(&settled.path, digest);
        }
        self.remove_old_news()?;
        self.manifest.format = state::manifest::FORMAT;
        self.manifest.generator.clone_from(&plan.generator);
        self.manifest.project.clone_from(&plan.project);
        let is_whole = plan.tree == Some(self.manifest.tree());
        self.manifest.spec = if is_whole { plan.spec.clone() } else { String::new() };
        self.steps.extend(state_steps(self.root, &self.manifest, &self.texts)?);
        Ok(())
    }

    /// A `<path>.new` whose conflict is over goes, unless somebody edited it.
    fn remove_old_news(&mut self) -> Result<(), Error> {
        for (origin, pending) in &self.state.manifest.pending {
            if self.manifest.pending.contains_key(origin) || pending.written.is_none() {
                continue;
            }
            let path = format!("{}.new", self.state.manifest.place(origin));
            let now = self.root.read(&path)?.bytes().map(Digest::of);
            if now == pending.written {
                self.steps.push(Step { path, before: now, after: None, like: None });
            }
        }
        Ok(())
    }
}

/// Records that `generated` is what was generated last for `origin`, and that nothing of it waits.
pub fn move_on(manifest: &mut Manifest, origin: &ProjectPath, generated: Option<Digest>) {
    manifest.pending.remove(origin);
    match generated {
        Some(digest) => _ = manifest.files.insert(origin.clone(), digest),
        None => {
            manifest.files.remove(origin);
            manifest.moved.remove(origin);
        }
    }
}

/// The steps that bring the state's own files up to date.
///
/// # Errors
/// When the operating system refuses to read one.
pub fn state_steps(root: &Root, manifest: &Manifest, texts: &Texts) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    for (path, pieces) in state::files(manifest, texts) {
        let text = pieces.concat();
        let before = match root.read(path)? {
            Entry::File(bytes) if bytes == text.as_bytes() => continue,
            Entry::File(bytes) => Some(Digest::of(&bytes)),
            Entry::Missing => None,
            Entry::Other(what) => {
                return Err(Error::Stale { files: vec![(path.to_owned(), what.to_owned())] });
            }
        };
        let after = Some(text.into_bytes());
        steps.push(Step { path: path.to_owned(), before, after, like: None });
    }
    Ok(steps)
}
