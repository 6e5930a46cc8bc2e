//! Three-way merge: what one side changed lands in the other, and no edit is lost.
//!
//! *base* is the common ancestor (what was generated last), *ours* is the file as people made it, *theirs* is
//! what wants in (what is generated now). Lines that theirs did not have to change come out as they are in
//! ours, byte for byte.
//!
//! # Stages
//!
//! 1. Equal versions cost nothing ([`merge`]).
//! 2. [`lines`]: a merge by line, as git does it. Where it is clean, it stands.
//! 3. Python only. Where lines clash, structure: each version becomes a lossless tree (`python`, `tree`), a block is
//!    a sequence of statements and comments (`items`), and three versions of a sequence are matched by meaning before
//!    position (`align`) and merged (`sequence`): `block` for statements, `statement` for the parts of one, `list` for
//!    what stands between commas, `imports` for names. A statement that both changed is merged by line if that
//!    is clean, and by its parts if not.
//! 4. Python only. The gate judges every clean result, whatever made it (`facts`, `gate`): it must parse, define
//!    what it defined, define nothing twice, leave no name undefined and no guard out. What it refuses is tried once
//!    more without what was at fault, and is a conflict then.
//!
//! # Guarantees
//!
//! An edit is applied, in a conflict, or the same on both sides; each sequence keeps the books on that
//! (`sequence::is_balanced`). Conflicts stand between git's `diff3` markers around what clashes only.
//!
//! # Limits
//!
//! A file that is not UTF-8 text is not merged ([`text::decode`] says why). A version that is not Python is merged by
//! line, and never clean, since nobody can judge it. The gate reads; it cannot see that two clean changes mean
//! something else together.

mod align;
mod block;
mod chain;
mod clauses;
pub mod conflict;
mod digest;
mod expression;
mod facts;
mod gate;
mod imports;
mod indent;
mod items;
pub mod lines;
mod list;
mod module;
#[cfg(test)]
mod properties;
pub(crate) mod python;
mod sequence;
mod session;
mod statement;
mod structure;
pub mod text;
mod tree;
mod wraps;

use conflict::{Conflict, Labels, Sides, marked};
use lines::Change;
use session::Session;
use std::borrow::Cow;
use std::path::Path;
use text::{NotText, decode, encode};

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Python source: merged by structure where lines clash, and judged by its meaning.
    Python,
    /// Any other text: merged by line.
    Text,
}

impl Language {
    /// The language of a file, by its name.
    ///
    /// ```
    /// use astgen::merge::Language;
    /// assert_eq!(Language::of("app/main.py".as_ref()), Language::Python);
    /// assert_eq!(Language::of("fly.toml".as_ref()), Language::Text);
    /// ```
    pub fn of(path: &Path) -> Language {
        match path.extension().and_then(|kind| kind.to_str()) {
            Some("py" | "pyi" | "pyw") => Language::Python,
            _ => Language::Text,
        }
    }
}

/// Three versions of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions<'a> {
    /// The common ancestor.
    pub base: &'a str,
    /// The file as it is.
    pub ours: &'a str,
    /// What wants in.
    pub theirs: &'a str,
}

/// A merged text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The result; clashes stand between git's markers.
    pub text: String,
    /// The clashes, in the order of the text. Without any, the merge is clean.
    pub conflicts: Vec<Conflict>,
}

/// A merged file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedFile {
    /// The result, with the byte order mark and the line endings of ours.
    pub bytes: Vec<u8>,
    /// The clashes; their lines are those of the file.
    pub conflicts: Vec<Conflict>,
}

/// Merges three versions of a file.
///
/// # Errors
/// When a version is not text; nothing is merged then.
///
/// ```
/// use astgen::merge::{Language, conflict::Labels, merge_file};
/// let labels = Labels::default();
/// let merged = merge_file(Language::Text, b"a\n", b"a\r\n", b"a\nb\n", &labels).unwrap();
/// assert_eq!(merged.bytes, b"a\r\nb\r\n");
/// ```
pub fn merge_file(
    language: Language,
    base: &[u8],
    ours: &[u8],
    theirs: &[u8],
    labels: &Labels,
) -> Result<MergedFile, NotText> {
    let unchanged = |bytes: &[u8]| MergedFile { bytes: bytes.to_vec(), conflicts: Vec::new() };
    if ours == base {
        return Ok(unchanged(theirs));
    }
    if theirs == base || ours == theirs {
        return Ok(unchanged(ours));
    }
    let (base, ours, theirs) = (decode(base)?, decode(ours)?, decode(theirs)?);
    let versions = Versions { base: &base.text, ours: &ours.text, theirs: &theirs.text };
    let merged = merge(language, versions, labels);
    Ok(MergedFile { bytes: encode(&merged.text, &ours), conflicts: merged.conflicts })
}

/// Merges three versions of a text with `\n` as its line ending.
pub fn merge(language: Language, versions: Versions<'_>, labels: &Labels) -> Merged {
    let Versions { base, ours, theirs } = versions;
    if ours == base {
        return clean(theirs);
    }
    if theirs == base || ours == theirs {
        return clean(ours);
    }
    let [ended_base, ended_ours, ended_theirs] = [base, ours, theirs].map(with_last_newline);
    let ended = Versions { base: &ended_base, ours: &ended_ours, theirs: &ended_theirs };
    let mut merged = match language {
        Language::Python => module::merge_modules(ended, labels),
        Language::Text => by_line(ended, labels),
    };
    let is_ended = |text: &str| text.is_empty() || text.ends_with('\n');
    let habit = if is_ended(ours) == is_ended(base) { theirs } else { ours };
    if !is_ended(habit) && merged.conflicts.is_empty() {
        merged.text.pop();
    }
    merged
}

fn with_last_newline(text: &str) -> Cow<'_, str> {
    if text.is_empty() || text.ends_with('\n') { text.into() } else { format!("{text}\n").into() }
}

fn clean(text: &str) -> Merged {
    Merged { text: text.to_owned(), conflicts: Vec::new() }
}

/// Merges by line.
pub fn by_line(versions: Versions<'_>, labels: &Labels) -> Merged {
    let base = lines::split(versions.base);
    let ours = lines::split(versions.ours);
    let theirs = lines::split(versions.theirs);
    let text = String::with_capacity(versions.ours.len().max(versions.theirs.len()));
    let mut merged = Merged { text, conflicts: Vec::new() };
    for chunk in lines::chunks(&base, &ours, &theirs) {
        let sides = [&base[chunk.base], &ours[chunk.ours], &theirs[chunk.theirs]];
        match chunk.change {
            Change::None | Change::Ours | Change::Same => {
                merged.text.extend(sides[1].iter().copied())
            }
            Change::Theirs => merged.text.extend(sides[2].iter().copied()),
            Change::Clash => {
                let [base, ours, theirs] = sides.map(<[&str]>::concat);
                merged.conflicts.push(Conflict {
                    definition: None,
                    line: 1 + merged.text.matches('\n').count(),
                    reason: "both sides changed these lines".to_owned(),
                });
                let sides = Sides { ours: &ours, base: &base, theirs: &theirs };
                merged.text.push_str(&marked(sides, labels));
            }
        }
    }
    merged
}
