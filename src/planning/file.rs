//! What happens to one file, by its three versions.

use crate::definitions::{Sides, definitions, name_clashes};
use crate::disk::Entry;
use crate::merge::conflict::{Conflict, Labels};
use crate::merge::text::{decode, encode};
use crate::merge::{Language, MergedFile, lines, merge_file};
use crate::plan::{Action, ActionType, Settled};
use crate::regions::merge_without_base;
use crate::state::texts::Texts;
use crate::{Digest, ProjectPath};
use astgen_emitters::{SCHEMA, is_revision};

/// The versions of a file.
#[derive(Debug, Clone)]
pub struct Versions<'a> {
    /// Where it is generated.
    pub path: &'a ProjectPath,
    /// Where people keep it.
    pub place: &'a ProjectPath,
    /// What may have been generated last.
    pub bases: Vec<Digest>,
    /// The texts of that, as far as they are there.
    pub texts: &'a Texts,
    /// What is on disk.
    pub ours: &'a Entry,
    /// What is generated now.
    pub theirs: Option<&'a str>,
}

/// What happens to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Something is to be done.
    Action(Box<Action>),
    /// It stays as it is.
    Settled(Settled),
}

/// What happens to a file for which something else is generated than last time.
pub fn outcome(versions: &Versions<'_>) -> Outcome {
    match (versions.theirs, versions.ours) {
        (Some(theirs), Entry::Missing) if versions.bases.is_empty() => versions.create(theirs),
        (Some(_), Entry::Missing) => versions.settled("you removed it: it stays removed"),
        (None, Entry::Missing) => {
            versions.settled("it is no longer generated, and no longer there")
        }
        (Some(theirs), Entry::Other(what)) => versions.in_the_way(theirs, what),
        (None, Entry::Other(_)) => versions.settled("it is no longer generated, and yours"),
        (None, Entry::File(ours)) => versions.no_longer_generated(ours),
        (Some(theirs), Entry::File(ours)) => versions.regenerated(ours, theirs),
    }
}

/// How many lines differ between two texts.
fn distance(base: &str, ours: &str) -> usize {
    let (base, ours) = (lines::split(base), lines::split(ours));
    let changed = lines::chunks(&base, &ours, &ours);
    let changed = changed.into_iter().filter(|chunk| chunk.change != lines::Change::None);
    changed.map(|chunk| chunk.base.len() + chunk.ours.len()).sum()
}

fn labels() -> Labels {
    Labels {
        ours: "yours".to_owned(),
        base: "generated last".to_owned(),
        theirs: "generated now".to_owned(),
    }
}

impl Versions<'_> {
    fn settled(&self, reason: &str) -> Outcome {
        Outcome::Settled(Settled {
            path: self.path.clone(),
            moved_to: self.moved_to(),
            reason: reason.to_owned(),
            generated: self.theirs.map(str::to_owned),
        })
    }

    fn moved_to(&self) -> Option<ProjectPath> {
        (self.place != self.path).then(|| self.place.clone())
    }

    /// An action without texts and definitions.
    fn action(&self, kind: ActionType, reason: &str) -> Action {
        Action {
            kind,
            path: self.place.clone(),
            generated_path: self.moved_to().map(|_| self.path.clone()),
            reason: match self.moved_to() {
                Some(_) => format!("{reason}; you moved it here from {}", self.path),
                None => reason.to_owned(),
            },
            base: self.bases.first().copied(),
            ours: self.ours.bytes().map(Digest::of),
            theirs: self.theirs.map(|text| Digest::of(text.as_bytes())),
            definitions: Vec::new(),
            conflicts: Vec::new(),
            content: None,
            new_content: None,
            generated: None,
        }
    }

    fn create(&self, theirs: &str) -> Outcome {
        let mut action = self.action(ActionType::Create, "it is new");
        action.definitions = self.definitions("", "", theirs, &[]);
        action.content = Some(theirs.to_owned());
        Outcome::Action(Box::new(action))
    }

    fn in_the_way(&self, theirs: &str, what: &str) -> Outcome {
        let reason = format!("{} {what}, which astgen does not write through", self.place);
        let mut action = self.action(ActionType::Conflict, &reason);
        action.new_content = Some(theirs.to_owned());
        Outcome::Action(Box::new(action))
    }

    fn no_longer_generated(&self, ours: &[u8]) -> Outcome {
        let is_pristine = self.is_pristine(ours);
        let (kind, reason) = if is_pristine {
            (ActionType::Delete, "it is no longer generated, and you have not edited it")
        } else {
            (ActionType::Conflict, "it is no longer generated, and you have edited it")
        };
        let mut action = self.action(kind, reason);
        if is_pristine {
            action.definitions = self.definitions(&text_of(ours), &text_of(ours), "", &[]);
        }
        Outcome::Action(Box::new(action))
    }

    fn regenerated(&self, ours: &[u8], theirs: &str) -> Outcome {
        if ours == theirs.as_bytes() {
            return self.settled("it is already as it is generated now");
        }
        if is_revision(self.path.as_str()) {
            return self.settled("a migration may have run, and is never changed again");
        }
        // What the migrations make together is said by those who make them.
        if self.is_pristine(ours) || self.path.as_str() == SCHEMA {
            return self.update(ours, theirs);
        }
        self.merge_with_any(ours, theirs)
    }

    /// Whether the file is what was generated last. Git may have given it other line endings.
    fn is_pristine(&self, ours: &[u8]) -> bool {
        self.bases.contains(&Digest::of(text_of(ours).as_bytes()))
    }

    fn update(&self, ours: &[u8], theirs: &str) -> Outcome {
        let mut action = self
            .action(ActionType::Update, "something else is generated, and you have not edited it");
        let habits = decode(ours);
        let bytes = habits.map_or_else(|_| theirs.into(), |habits| encode(theirs, &habits));
        if bytes == ours {
            return self.settled("it is already as it is generated now");
        }
        let text = text_of(ours);
        action.definitions = self.definitions(&text, &text, theirs, &[]);
        action.generated = (bytes != theirs.as_bytes()).then(|| theirs.to_owned());
        action.content = Some(String::from_utf8_lossy(&bytes).into_owned());
        Outcome::Action(Box::new(action))
    }

    /// Merges with the base that leaves the fewest clashes, and of those the one that ours is nearest to: there are
    /// several after git merged two branches.
    fn merge_with_any(&self, ours: &[u8], theirs: &str) -> Outcome {
        let texts = self.bases.iter().rev().filter_map(|digest| self.texts.get(digest));
        let outcomes = texts.map(|base| (base, self.merge(base, ours, theirs)));
        let clashes = |outcome: &Outcome| match outcome {
            Outcome::Action(action) if action.kind == ActionType::Conflict => {
                1 + action.conflicts.len()
            }
            Outcome::Action(_) | Outcome::Settled(_) => 0,
        };
        let text = text_of(ours);
        let best = outcomes.min_by_key(|(base, it)| (clashes(it), distance(base, &text)));
        best.map(|(_, outcome)| outcome).unwrap_or_else(|| self.merge_without_base(ours, theirs))
    }

    fn merge(&self, base: &str, ours: &[u8], theirs: &str) -> Outcome {
        let language = Language::of(self.path.as_ref());
        match merge_file(language, base.as_bytes(), ours, theirs.as_bytes(), &labels()) {
            Err(reason) => self.unreadable(theirs, &reason.to_string()),
            Ok(merged) => self.merged(base, ours, theirs, merged),
        }
    }

    fn unreadable(&self, theirs: &str, reason: &str) -> Outcome {
        let mut action = self
            .action(ActionType::Conflict, &format!("{} cannot be merged: {reason}", self.place));
        action.new_content = Some(theirs.to_owned());
        Outcome::Action(Box::new(action))
    }

    fn merged(&self, base: &str, ours: &[u8], theirs: &str, merged: MergedFile) -> Outcome {
        let MergedFile { bytes, mut conflicts } = merged;
        if bytes == ours {
            return self.settled("what is new in it is there already");
        }
        // A merge of texts is a text.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let ours = text_of(ours);
        if self.is_python() {
            name_clashes(&mut conflicts, &text);
        }
        let (kind, reason) = match (&conflicts[..], ours == base) {
            ([], true) => (
                ActionType::Update,
                "something else is generated, and you have not edited it".to_owned(),
            ),
            ([], false) => (
                ActionType::Merge,
                "you edited it, and what is new lands beside your edits".to_owned(),
            ),
            (clashes, _) => (ActionType::Conflict, clashes_in_words(clashes)),
        };
        let mut action = self.action(kind, &reason);
        let sides = Sides { base, ours: &ours, theirs, merged: &text_of(&bytes) };
        action.definitions =
            if self.is_python() { definitions(sides, &conflicts) } else { Vec::new() };
        action.conflicts = conflicts;
        action.generated = (text != theirs).then(|| theirs.to_owned());
        match kind {
            ActionType::Conflict => action.new_content = Some(text),
            _ => action.content = Some(text),
        }
        Outcome::Action(Box::new(action))
    }

    fn merge_without_base(&self, ours: &[u8], theirs: &str) -> Outcome {
        let decoded = match decode(ours) {
            Ok(decoded) => decoded,
            Err(reason) => return self.unreadable(theirs, &reason.to_string()),
        };
        let merged = merge_without_base(&decoded.text, theirs, &labels());
        let bytes = encode(&merged.text, &decoded);
        // Without a clash, all that differed was in regions that nobody edited.
        let base = if merged.conflicts.is_empty() { &*decoded.text } else { "" };
        self.merged(base, ours, theirs, MergedFile { bytes, conflicts: merged.conflicts })
    }

    fn definitions(
        &self,
        base: &str,
        ours: &str,
        theirs: &str,
        conflicts: &[Conflict],
    ) -> Vec<crate::definitions::DefinitionChange> {
        if !self.is_python() {
            return Vec::new();
        }
        definitions(Sides { base, ours, theirs, merged: theirs }, conflicts)
    }

    fn is_python(&self) -> bool {
        Language::of(self.path.as_ref()) == Language::Python
    }
}

/// Bytes as a text to compare.
fn text_of(bytes: &[u8]) -> String {
    decode(bytes).map_or_else(|_| String::new(), |text| text.text)
}

fn clashes_in_words(clashes: &[Conflict]) -> String {
    let mut places: Vec<&str> =
        clashes.iter().filter_map(|clash| clash.definition.as_deref()).collect();
    places.dedup();
    let number = match clashes.len() {
        1 => "1 clash".to_owned(),
        number => format!("{number} clashes"),
    };
    match places.is_empty() {
        true => format!("you edited it: {number} with what is generated now"),
        false => {
            format!("you edited it: {number} with what is generated now, in {}", places.join(", "))
        }
    }
}
