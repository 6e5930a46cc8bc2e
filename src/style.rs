//! Colours for people, and none for pipes.

use crate::apply::Deed;

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// No escape sequence at all.
    Plain,
    /// ANSI colours.
    Coloured,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Style::Coloured if !text.is_empty() => format!("\x1b[{code}m{text}\x1b[0m"),
            _ => text.to_owned(),
        }
    }

    /// Less important.
    #[must_use]
    pub fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// A heading.
    #[must_use]
    pub fn strong(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// What comes.
    #[must_use]
    pub fn added(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// What goes.
    #[must_use]
    pub fn removed(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// A place in a file.
    #[must_use]
    pub fn place(self, text: &str) -> String {
        self.paint("36", text)
    }

    /// What asks for a decision.
    #[must_use]
    pub fn alarm(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    /// The word for what becomes of a file.
    #[must_use]
    pub fn deed(self, deed: Deed, text: &str) -> String {
        match deed {
            Deed::Created => self.added(text),
            Deed::Deleted => self.removed(text),
            Deed::Updated | Deed::Merged => self.place(text),
            Deed::Conflict | Deed::ConflictInWork => self.alarm(text),
            Deed::Done => self.faint(text),
        }
    }
}
