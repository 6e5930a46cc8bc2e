//! Planning a regeneration: what was generated last, what is generated now and what is on disk give a
//! [`Plan`]. Nothing is written.
//!
//! Files for which nothing else is generated than last time are not even read: whatever people did to them
//! stands.

mod file;
mod moves;
mod revisions;

use crate::disk::{Entry, Root};
use crate::plan::{Action, Plan, Settled, VERSION};
use crate::state::manifest::tree;
use crate::state::texts::Texts;
use crate::state::{self, State};
use crate::{Digest, Error, ProjectPath};
use astgen_emitters::{Generated, Printed, spec};
use file::{Outcome, Versions};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A plan, and what was found on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// How many files stay as they are, because nothing else is generated for them.
    pub unchanged: usize,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Plans the regeneration of a project.
///
/// # Errors
/// When its state is of a newer format, or the operating system refuses to read a file.
pub fn plan(root: &Root, spec: &spec::Spec) -> Result<Planned, Error> {
    let state = State::read(root)?;
    if let Some(state) = state.as_ref().filter(|state| is_up_to_date(state, spec)) {
        let plan = stamped(spec, state.manifest.tree(), Vec::new(), Vec::new());
        return Ok(Planned { plan, unchanged: state.manifest.files.len(), notes: Vec::new() });
    }
    let mut files = astgen_emitters::generate_printed(spec);
    let revision = revisions::next(root, state.as_ref(), spec)?;
    files.extend(revision.map(Generated::into_printed));
    plan_files(root, spec, state, files)
}

/// The same spec and the same generator give the same files: there is nothing to find out.
fn is_up_to_date(state: &State, spec: &spec::Spec) -> bool {
    state.is_settled() && state.manifest.spec == spec::digest(spec)
}

fn stamped(spec: &spec::Spec, tree: Digest, actions: Vec<Action>, settled: Vec<Settled>) -> Plan {
    Plan {
        version: VERSION,
        generator: astgen_emitters::GENERATOR.to_owned(),
        project: spec.project.name.clone(),
        spec: spec::digest(spec),
        tree: Some(tree),
        actions,
        settled,
    }
}

const NO_STATE: &str = "the project has no .astgen: what was generated last is not known. Regions that nobody \
                        edited are brought up to date, everything else that differs is a conflict";

fn plan_files(
    root: &Root,
    spec: &spec::Spec,
    state: Option<State>,
    files: Vec<Printed>,
) -> Result<Planned, Error> {
    let mut notes: Vec<String> =
        if state.is_none() { vec![NO_STATE.to_owned()] } else { Vec::new() };
    let state = state.unwrap_or_else(State::unknown);
    notes.extend(state.notes.iter().cloned());
    let survey = Survey::new(root, state, files)?;
    let mut outcomes: Vec<Outcome> = survey
        .changed
        .par_iter()
        .map(|changed| file::outcome(&changed.versions(&survey)))
        .collect();
    let (mut actions, mut settled) = (Vec::new(), Vec::new());
    for outcome in outcomes.drain(..) {
        match outcome {
            Outcome::Action(action) => actions.push(*action),
            Outcome::Settled(one) => settled.push(one),
        }
    }
    actions.sort_by(|one, other| one.path.cmp(&other.path));
    let plan = stamped(spec, survey.tree, actions, settled);
    Ok(Planned { plan, unchanged: survey.unchanged, notes })
}

/// A file for which something else is generated than last time.
#[derive(Debug)]
struct Changed {
    path: ProjectPath,
    place: ProjectPath,
    ours: Entry,
    theirs: Option<String>,
}

/// What is known before the first merge.
#[derive(Debug)]
struct Survey {
    state: State,
    texts: Texts,
    changed: Vec<Changed>,
    unchanged: usize,
    /// Of all that is generated.
    tree: Digest,
}

impl Survey {
    fn new(root: &Root, state: State, files: Vec<Printed>) -> Result<Survey, Error> {
        // A migration may have run: what was generated once is never generated anew.
        let is_frozen = |path: &str| {
            let known = state.manifest.files.keys();
            astgen_emitters::is_revision(path) && known.into_iter().any(|it| it.as_str() == path)
        };
        let generated: BTreeMap<ProjectPath, (String, Digest)> = files
            .into_par_iter()
            .filter(|file| !is_frozen(&file.path))
            .map(|Printed { path, text }| {
                let path = ProjectPath::parse(&*path).map_err(Error::unsafe_path(&path))?;
                let digest = Digest::of(text.as_bytes());
                Ok((path, (text, digest)))
            })
            .collect::<Result<_, Error>>()?;
        let frozen: BTreeMap<&ProjectPath, Digest> = state
            .manifest
            .files
            .iter()
            .filter(|(path, _)| astgen_emitters::is_revision(path.as_str()))
            .map(|(path, digest)| (path, *digest))
            .collect();
        let paths: BTreeSet<&ProjectPath> = generated
            .keys()
            .chain(state.manifest.files.keys())
            .filter(|path| !frozen.contains_key(path))
            .collect();
        let all_digests = generated.iter().map(|(path, (_, digest))| (path, *digest));
        let all_digests: BTreeMap<&ProjectPath, Digest> =
            all_digests.chain(frozen.iter().map(|(path, digest)| (*path, *digest))).collect();
        let tree = tree(all_digests);
        let all = paths.len();
        let known: BTreeSet<String> = paths
            .iter()
            .flat_map(|path| [path.as_str(), state.manifest.place(path).as_str()])
            .map(str::to_owned)
            .collect();
        let is_changed = |path: &&ProjectPath| {
            let theirs = generated.get(*path).map(|(_, digest)| *digest);
            state.bases(path) != Vec::from_iter(theirs)
                || state.manifest.pending.contains_key(*path)
        };
        let changed: Vec<Changed> = paths
            .into_iter()
            .filter(is_changed)
            .map(|path| {
                let place = state.manifest.place(path).clone();
                let theirs = generated.get(path).map(|(text, _)| text.clone());
                Ok(Changed { ours: root.read(&place)?, path: path.clone(), place, theirs })
            })
            .collect::<Result<_, Error>>()?;
        let unchanged = all - changed.len();
        let texts = if changed.is_empty() { Texts::default() } else { state::read_texts(root)? };
        let mut survey = Survey { state, texts, changed, unchanged, tree };
        survey.follow_moves(root, &known)?;
        Ok(survey)
    }

    /// Looks for files that are not where they were.
    fn follow_moves(&mut self, root: &Root, known: &BTreeSet<String>) -> Result<(), Error> {
        let missing: BTreeMap<&ProjectPath, &str> = self
            .changed
            .iter()
            .filter(|changed| changed.ours == Entry::Missing)
            .filter_map(|changed| {
                let text =
                    self.state.bases(&changed.path).iter().find_map(|it| self.texts.get(it))?;
                Some((&changed.path, text))
            })
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let known = known.iter().map(String::as_str).collect();
        let found = moves::find(root, &missing, &known)?;
        for changed in &mut self.changed {
            if let Some(place) = found.get(&changed.path) {
                changed.ours = root.read(place)?;
                changed.place = place.clone();
            }
        }
        Ok(())
    }
}

impl Changed {
    fn versions<'a>(&'a self, survey: &'a Survey) -> Versions<'a> {
        Versions {
            path: &self.path,
            place: &self.place,
            bases: survey.state.bases(&self.path),
            texts: &survey.texts,
            ours: &self.ours,
            theirs: self.theirs.as_deref(),
        }
    }
}
