//! What can be wrong with a spec, where, and how to mend it.

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A range of bytes of the spec's text.
pub type Place = Range<usize>;

/// Everything that is wrong with a spec. Rendered by `miette`, each error underlines its place.
#[derive(Debug)]
pub struct SpecErrors {
    /// The errors, in the order of the file. Never empty.
    pub errors: Vec<SpecError>,
    /// How many more there are that were not kept.
    pub omitted: usize,
    /// The file's name and text.
    pub source: NamedSource<Arc<str>>,
}

/// One error, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError {
    /// What is wrong.
    pub problem: Problem,
    /// The bytes to underline.
    pub place: Place,
    /// Another place that the problem is about, such as a first definition, and what is there.
    pub other: Option<(Place, &'static str)>,
    /// What to write instead.
    pub help: Option<String>,
}

/// What is wrong with a spec. Texts from the file are already quoted by [`quoted`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the sentences say what the fields are")]
pub enum Problem {
    #[error("the spec has more than {most} bytes")]
    TooLarge { most: usize },
    #[error("this is not TOML: {message}")]
    Syntax { message: String },
    #[error("{name} is written twice")]
    WrittenTwice { name: String },
    #[error("{table} has no key {key}")]
    UnknownKey { table: &'static str, key: String },
    #[error("{table} needs the key `{key}`")]
    MissingKey { table: &'static str, key: &'static str },
    #[error("expected {expected}, found {found}")]
    WrongType { expected: &'static str, found: &'static str },
    #[error("{found} is not one of {expected}")]
    UnknownValue { found: String, expected: String },
    #[error("{found} is out of bounds: {bounds}")]
    OutOfBounds { found: String, bounds: String },
    #[error("{found} is not a duration")]
    BadDuration { found: String },
    #[error("{found} is not a size")]
    BadSize { found: String },
    #[error("this text contains the character U+{code:04X}, which cannot be printed")]
    Unprintable { code: u32 },
    #[error("{found} is not {expected}")]
    BadText { found: String, expected: &'static str },
    #[error("{name} cannot be the name of {what}: {reason}")]
    BadName { name: String, what: &'static str, reason: &'static str },
    #[error("{name} cannot be the name of {what}: {reason}")]
    ReservedName { name: String, what: &'static str, reason: &'static str },
    #[error("{what} {name} is listed twice")]
    ListedTwice { what: &'static str, name: String },
    #[error("the {namespace} `{text}` of {what} is also that of {other}")]
    Clash { namespace: &'static str, text: String, what: String, other: String },
    #[error("the {what} `{name}` would have {bytes} bytes, and PostgreSQL keeps only 63")]
    NameTooLong { what: &'static str, name: String, bytes: usize },
    #[error("there is no {what} {name}")]
    UnknownName { what: &'static str, name: String },
    #[error("no row could ever be made: {path}")]
    Cycle { path: String },
    #[error("this needs billing, and the spec has none")]
    NoBilling,
    #[error("{0}")]
    Inconsistent(String),
}

impl Problem {
    /// A name for the kind of problem, for filters and search engines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Problem::TooLarge { .. } => "spec::too_large",
            Problem::Syntax { .. } => "spec::syntax",
            Problem::WrittenTwice { .. } | Problem::ListedTwice { .. } => "spec::duplicate",
            Problem::UnknownKey { .. } => "spec::unknown_key",
            Problem::MissingKey { .. } => "spec::missing_key",
            Problem::WrongType { .. } => "spec::wrong_type",
            Problem::UnknownValue { .. } => "spec::unknown_value",
            Problem::OutOfBounds { .. } => "spec::out_of_bounds",
            Problem::BadDuration { .. } => "spec::duration",
            Problem::BadSize { .. } => "spec::size",
            Problem::Unprintable { .. } => "spec::unprintable",
            Problem::BadText { .. } => "spec::text",
            Problem::BadName { .. } => "spec::name",
            Problem::ReservedName { .. } => "spec::reserved_name",
            Problem::Clash { .. } => "spec::clash",
            Problem::NameTooLong { .. } => "spec::name_too_long",
            Problem::UnknownName { .. } => "spec::unknown_name",
            Problem::Cycle { .. } => "spec::cycle",
            Problem::NoBilling => "spec::no_billing",
            Problem::Inconsistent(_) => "spec::inconsistent",
        }
    }
}

impl SpecError {
    /// A problem at a place.
    #[must_use]
    pub fn new(place: Place, problem: Problem) -> SpecError {
        SpecError { problem, place, other: None, help: None }
    }

    /// With what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> SpecError {
        self.help = Some(help.into());
        self
    }

    /// With a suggestion, where there is one, and else with nothing new.
    #[must_use]
    pub fn suggest(self, suggestion: Option<&str>) -> SpecError {
        match suggestion {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// With another place that the problem is about.
    #[must_use]
    pub fn other(mut self, place: Place, what: &'static str) -> SpecError {
        self.other = Some((place, what));
        self
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl std::error::Error for SpecError {}

impl Diagnostic for SpecError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.problem.code()))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let here = LabeledSpan::new_primary_with_span(None, self.place.clone());
        let there = self
            .other
            .as_ref()
            .map(|(place, what)| LabeledSpan::at(place.clone(), (*what).to_owned()));
        Some(Box::new(std::iter::once(here).chain(there)))
    }
}

impl fmt::Display for SpecErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.errors.len() + self.omitted;
        let noun = if count == 1 { "error" } else { "errors" };
        write!(f, "{} has {count} {noun}", self.source.name())?;
        if self.omitted > 0 { write!(f, ", of which these are the first") } else { Ok(()) }
    }
}

impl std::error::Error for SpecErrors {}

impl Diagnostic for SpecErrors {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.errors.iter().map(|error| error as &dyn Diagnostic)))
    }
}

/// A text from the file as a message shows it: in backticks, shortened, nothing unprintable.
#[must_use]
pub fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let escaped = |c: char| c.is_control() || super::text::is_invisible(c);
    let mut shown = String::from("`");
    for c in text.chars().take(MOST) {
        if escaped(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    if text.chars().nth(MOST).is_some() {
        shown.push('…');
    }
    shown.push('`');
    shown
}
