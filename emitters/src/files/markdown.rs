//! Markdown: what a document says, apart from how it is escaped.

use super::mermaid::{self, Diagram};

/// What a document is made of, top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A heading of a level, 1 to 6.
    Heading(usize, Vec<Inline>),
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A table: the header, and rows of as many cells.
    Table(Vec<&'static str>, Vec<Vec<Cell>>),
    /// Commands for a shell, a line each.
    Commands(Vec<String>),
    /// A diagram.
    Diagram(Diagram),
}

/// What stands in a cell of a table.
pub type Cell = Vec<Inline>;

/// What a line is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inline {
    /// Words, whatever characters they have: they are read as they are written.
    Text(String),
    /// Words of a program.
    Code(String),
}

/// Words.
#[must_use]
pub fn text(words: impl Into<String>) -> Inline {
    Inline::Text(words.into())
}

/// Words of a program.
#[must_use]
pub fn code(words: impl Into<String>) -> Inline {
    Inline::Code(words.into())
}

/// Words of a program, between commas.
#[must_use]
pub fn codes(words: impl IntoIterator<Item = impl Into<String>>) -> Vec<Inline> {
    let words: Vec<Vec<Inline>> = words.into_iter().map(|word| vec![code(word)]).collect();
    words.join(&text(", "))
}

/// A heading.
#[must_use]
pub fn heading(level: usize, words: impl Into<String>) -> Block {
    Block::Heading(level, vec![text(words)])
}

/// A paragraph.
#[must_use]
pub fn paragraph(inlines: impl Into<Vec<Inline>>) -> Block {
    Block::Paragraph(inlines.into())
}

/// Commands for a shell.
#[must_use]
pub fn commands(lines: impl IntoIterator<Item = impl Into<String>>) -> Block {
    Block::Commands(lines.into_iter().map(Into::into).collect())
}

/// The text of a document.
#[must_use]
pub fn print(blocks: &[Block]) -> String {
    let blocks: Vec<String> = blocks.iter().map(block).collect();
    blocks.join("\n")
}

fn block(block: &Block) -> String {
    match block {
        Block::Heading(level, inlines) => format!("{} {}\n", "#".repeat(*level), line(inlines)),
        Block::Paragraph(inlines) => format!("{}\n", prose(&line(inlines))),
        Block::Table(header, rows) => {
            let head = header.iter().map(|title| escaped(title)).collect();
            let rule = header.iter().map(|_| "---".to_owned()).collect();
            let rows = rows.iter().map(|cells| row(cells.iter().map(|cell| line(cell)).collect()));
            [row(head), row(rule)].into_iter().chain(rows).collect()
        }
        Block::Commands(lines) => fenced("sh", &format!("{}\n", lines.join("\n"))),
        Block::Diagram(diagram) => fenced("mermaid", &mermaid::print(diagram)),
    }
}

/// Lines of another language.
fn fenced(language: &str, lines: &str) -> String {
    let fence = fence(lines, 3);
    format!("{fence}{language}\n{lines}{fence}\n")
}

fn row(cells: Vec<String>) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn line(inlines: &[Inline]) -> String {
    let line: String = inlines.iter().map(inline).collect();
    line.trim().to_owned()
}

/// The line of a paragraph, which no sign at its beginning makes a list or a rule.
fn prose(line: &str) -> String {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let signs = if digits == 0 { "+-=" } else { ".)" };
    if line[digits..].starts_with(|c| signs.contains(c)) {
        return format!("{}\\{}", &line[..digits], &line[digits..]);
    }
    line.to_owned()
}

fn inline(inline: &Inline) -> String {
    match inline {
        Inline::Text(words) => escaped(words),
        // A `|` in code ends the cell of a table that it stands in.
        Inline::Code(words) if words.contains('|') => escaped(words),
        Inline::Code(words) => code_span(words),
    }
}

fn code_span(words: &str) -> String {
    let words = one_line(words);
    let (fence, inner) = (fence(&words, 1), words.trim());
    if inner.starts_with('`') || inner.ends_with('`') {
        return format!("{fence} {inner} {fence}");
    }
    format!("{fence}{inner}{fence}")
}

/// More backticks than stand in a row in `words`, and no fewer than `least`.
fn fence(words: &str, least: usize) -> String {
    let longest = words.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(least.max(longest + 1))
}

/// Words that are read as they are written. No backslash keeps GitHub from making links of web and
/// mail addresses; code does, and so their signs stand in code.
fn escaped(words: &str) -> String {
    let words = one_line(words);
    let mut escaped = String::with_capacity(words.len());
    let mut is_in_code = false;
    for (at, c) in words.char_indices() {
        let (before, after) = (&words[..at], &words[at + c.len_utf8()..]);
        let makes_link =
            c == '@' || c == ':' && after.starts_with("//") || c == '.' && ends_with_www(before);
        if makes_link != is_in_code {
            escaped.push('`');
        }
        is_in_code = makes_link;
        if r"\`*_[]<>&|~#$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    if is_in_code {
        escaped.push('`');
    }
    escaped
}

fn ends_with_www(words: &str) -> bool {
    words.len() >= 3 && words.as_bytes()[words.len() - 3..].eq_ignore_ascii_case(b"www")
}

fn one_line(words: &str) -> String {
    words.replace(['\r', '\n', '\t'], " ")
}
