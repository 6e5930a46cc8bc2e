//! Docstrings: with real line breaks where a formatter would leave them as they are.

use super::Doc;
use super::string::escaped_char;
use crate::layout::INDENT;

/// A docstring. A formatter moves its lines to the indentation of the docstring and removes white
/// space from their ends, so one for which that would change the value stays on one line.
pub fn docstring(doc: &mut Doc, text: &str) {
    let is_multiline = text.contains('\n') && is_left_alone(text, doc.depth * INDENT);
    doc.text("\"\"\"");
    let mut quotes = 0;
    for (at, char) in text.char_indices() {
        let is_end = at == 0 || at + char.len_utf8() == text.len();
        quotes = if char == '"' { quotes + 1 } else { 0 };
        match char {
            '\n' if is_multiline => doc.text("\n"),
            // A third quote in a row would end the literal, and so would one at its end.
            '"' if is_end || quotes == 3 => {
                doc.text("\\\"");
                quotes = 0;
            }
            ' ' if is_end && !is_multiline => doc.text("\\x20"),
            _ => escaped_char(&mut doc.layout, char),
        }
    }
    doc.text("\"\"\"");
}

/// Whether `ruff format` keeps the lines of a docstring at `indent`.
fn is_left_alone(text: &str, indent: usize) -> bool {
    let Some((first, rest)) = text.split_once('\n') else {
        return false;
    };
    let lines: Vec<&str> = rest.split('\n').collect();
    let Some((last, middle)) = lines.split_last() else {
        return false;
    };
    let is_blank = |line: &str| line.bytes().all(|byte| byte == b' ');
    let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let indented = || lines.iter().filter(|line| !is_blank(line));
    let closes = if is_blank(last) {
        last.len() == indent && middle.last().is_some_and(|line| !line.is_empty())
    } else {
        !last.ends_with(' ')
    };
    closes
        && !first.starts_with(' ')
        && !first.ends_with(' ')
        && middle.iter().all(|line| !line.ends_with(' '))
        && indented().map(|line| indentation(line)).min() == Some(indent)
}
