//! Comments, made harmless: no text gets out of its comment, none passes for another one.

use super::string::{is_printable, numeric_escape};
use super::{Before, Doc};
use crate::annotation::{Annotated, Trivia};
use crate::layout::{INDENT, WIDTH, width};

/// Comments that tools read and that must stay on their line; formatters do not count their width.
const PRAGMAS: [&str; 8] =
    ["noqa", "type:", "pyright:", "pylint:", "flake8:", "ruff:", "isort:", "nosec"];

impl Doc {
    /// Keeps the comments of a node that has no line of its own for its statement.
    #[inline]
    pub fn note<R: Annotated>(&mut self, range: &R) {
        if let Some(annotation) = range.annotation()
            && let Some(trivia) = &annotation.trivia
        {
            self.hoist(trivia);
        }
    }

    fn hoist(&mut self, trivia: &Trivia) {
        self.hoisted.extend(trivia.leading.iter().chain(&trivia.trailing).cloned());
    }

    /// Comment lines above a statement.
    pub fn leading_comments<'a>(&mut self, comments: impl IntoIterator<Item = &'a String>) {
        for comment in comments {
            self.before_comment();
            let lines = self.comment_lines(comment);
            self.layout.verbatim(&lines);
        }
    }

    /// Puts what waits above the statement that starts at `anchor`: comments, and a blank line.
    pub fn flush_hoisted(&mut self, anchor: usize) {
        let before = std::mem::take(&mut self.before);
        if self.hoisted.is_empty() {
            if before == Before::BlankUnlessCommented {
                self.layout.insert_lines(anchor, "\n");
            }
            return;
        }
        let hoisted = std::mem::take(&mut self.hoisted);
        let lines: String = hoisted.iter().map(|comment| self.comment_lines(comment)).collect();
        self.layout.insert_lines(anchor, &lines);
        if before == Before::BlankIfCommented {
            self.layout.insert_lines(anchor, "\n");
        }
    }

    /// The blank line that a comment above a statement asks for.
    pub fn before_comment(&mut self) {
        if std::mem::take(&mut self.before) == Before::BlankIfCommented {
            self.blank_lines(1);
        }
    }

    /// Blank lines.
    pub fn blank_lines(&mut self, count: usize) {
        for _ in 0..count {
            self.layout.verbatim("\n");
        }
    }

    /// The comment that ends the line just written; one that would make it too long, or that is
    /// longer than a line, waits to go above the statement.
    pub fn trailing_comment(&mut self, comment: String) -> Option<String> {
        let text = sanitized(lines_of(&comment).next().unwrap_or_default());
        if text.is_empty() {
            return None;
        }
        let is_pragma = PRAGMAS.iter().any(|pragma| text.starts_with(pragma));
        let is_one_line =
            lines_of(&comment).count() == 1 && !self.layout.line_text().contains('\n');
        if is_one_line && (is_pragma || self.layout.fits_flat(4 + width(&text))) {
            return Some(text);
        }
        self.hoisted.push(comment);
        None
    }

    fn comment_lines(&self, comment: &str) -> String {
        let indent = " ".repeat(self.depth * INDENT);
        // An encoding declaration counts in the first two lines of a file only.
        let is_near_top =
            self.layout.written().bytes().take(WIDTH * 2).filter(|byte| *byte == b'\n').count() < 2;
        let mut written = String::new();
        for line in lines_of(comment) {
            let mut text = sanitized(line);
            if is_near_top {
                text = text.replace("coding:", "coding :").replace("coding=", "coding =");
            }
            written.push_str(&indent);
            written.push_str(if text.is_empty() { "#" } else { "# " });
            written.push_str(&text);
            written.push('\n');
        }
        written
    }
}

/// The lines of a comment, split at everything that Python or an editor takes for a line break.
fn lines_of(comment: &str) -> impl Iterator<Item = &str> {
    let is_break = |char: char| {
        matches!(
            char,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let comment = comment.strip_suffix(is_break).unwrap_or(comment);
    comment.split(is_break)
}

/// A comment's text with everything invisible escaped, and nothing that passes for a marker.
fn sanitized(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for char in line.trim_end().chars() {
        match char {
            '\t' => text.push(' '),
            _ if is_printable(char) => text.push(char),
            _ => text.push_str(&numeric_escape(char)),
        }
    }
    let is_marker =
        ["astgen:", "fmt:", "yapf:"].iter().any(|marker| text.trim_start().starts_with(marker));
    if is_marker { format!("'{}'", text.trim()) } else { text }
}
