//! Regions: generated statements between two marker comments.
//!
//! The begin marker stands above the leading comments of its statement, so that they belong to the
//! region. The end marker of a definition is the last line of its body, where a formatter leaves it
//! alone; that of any other statement follows it at its own level.

use super::Doc;
use super::blank_lines::{blank_lines_before_end, is_definition};
use crate::layout::INDENT;
use rustpython_ast::Stmt;
use sha2::{Digest, Sha256};

/// Hexadecimal digits of a digest in a marker.
const DIGITS: usize = 12;

/// The digest in a begin marker: of the region's text without the two marker lines.
///
/// Indentation, line endings and blank lines around do not count, so a region that moved is
/// still the same.
///
/// ```
/// use astgen_pyast::region_digest;
/// assert_eq!(region_digest("    x = 1\n"), region_digest("x = 1\r\n\r\n"));
/// assert_ne!(region_digest("x = 1"), region_digest("x = 2"));
/// ```
#[must_use]
pub fn region_digest(text: &str) -> String {
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = unified.split('\n').skip_while(|line| line.trim().is_empty()).peekable();
    let indent = lines.peek().map_or(0, |line| line.len() - line.trim_start_matches(' ').len());
    let mut hash = Sha256::new();
    let mut blank_lines = 0;
    for line in lines {
        if line.trim().is_empty() {
            blank_lines += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut blank_lines) {
            hash.update(b"\n");
        }
        let spaces = line.bytes().take(indent).take_while(|byte| *byte == b' ').count();
        hash.update(&line.as_bytes()[spaces..]);
        hash.update(b"\n");
    }
    let hexadecimal: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    hexadecimal[..DIGITS].to_owned()
}

/// An open region.
pub struct Open {
    digest_at: usize,
    text_at: usize,
}

/// Writes the begin marker, with room for the digest.
pub fn begin(doc: &mut Doc, id: &str) -> Open {
    doc.before_comment();
    let marker = format!("{}# astgen:begin {} ", " ".repeat(doc.depth * INDENT), sanitized(id));
    doc.layout.verbatim(&marker);
    let digest_at = doc.layout.written().len();
    doc.layout.verbatim(&"0".repeat(DIGITS));
    doc.layout.verbatim("\n");
    Open { digest_at, text_at: doc.layout.written().len() }
}

/// Fills in the digest and writes the end marker.
pub fn end<R>(doc: &mut Doc, id: &str, stmt: &Stmt<R>, open: &Open) {
    let depth = doc.depth + usize::from(is_definition(stmt));
    let digest = region_digest(&doc.layout.written()[open.text_at..]);
    doc.layout.patch(open.digest_at, &digest);
    doc.blank_lines(blank_lines_before_end(depth, stmt));
    let marker = format!("{}# astgen:end {}\n", " ".repeat(depth * INDENT), sanitized(id));
    doc.layout.verbatim(&marker);
}

/// An id is one word.
fn sanitized(id: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "._-:/".contains(char);
    id.chars().map(|char| if is_plain(char) { char } else { '_' }).collect()
}
