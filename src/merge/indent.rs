//! Moving source to another indentation, without touching what strings say.

use super::tree::Tree;
use std::ops::Range;

/// The source of a range of whole lines, or of a part of one, with `from` at the start of each line replaced
/// by `to`. Lines that begin inside of a string stay as they are.
pub fn reindented(tree: &Tree<'_>, range: Range<usize>, from: &str, to: &str) -> String {
    let source = &tree.text[range.clone()];
    if from == to {
        return source.to_owned();
    }
    let mut text = String::with_capacity(source.len());
    let mut at = range.start;
    for line in source.split_inclusive('\n') {
        let begins = at == tree.line_start(at);
        match line.strip_prefix(from) {
            Some(rest) if begins && !line.trim().is_empty() && !tree.is_in_string(at) => {
                text.push_str(to);
                text.push_str(rest);
            }
            _ => text.push_str(line),
        }
        at += line.len();
    }
    text
}
