//! f-strings, in a form that Python 3.11 reads.
//!
//! Before Python 3.12 (PEP 701) a replacement field holds neither a backslash nor the quotes of the
//! f-string it stands in. So the quotes of an f-string follow from what its fields hold: the usual
//! ones are tried first, then the other ones, then triple ones. A backslash in a format spec, which
//! parsers read in different ways, makes the f-string a raw one.
//!
//! Some trees have no such form: a string in a field that cannot be written without a backslash or
//! holds both kinds of quotes, f-strings nested more than four deep, specs in specs, a brace in a
//! spec. They are printed as Python 3.12 reads them, which keeps the program but asks for that
//! version; no parser of 3.11 source makes such a tree.

use super::expression::{expr, operand};
use super::string::{escaped_char, preferred_quote};
use super::{Doc, PARENTHESES};
use crate::annotation::Annotated;
use crate::precedence::{Precedence, precedence};
use rustpython_ast::{
    Constant, ConversionFlag, Expr, ExprConstant, ExprFormattedValue, ExprIfExp, ExprJoinedStr,
};

/// f-strings nested more deeply than this find no unused quotes.
const MAX_DEPTH: usize = 4;

/// The quotes of the f-strings around the place where something is printed, outermost first.
#[derive(Debug, Default)]
pub struct Quotes {
    around: Vec<&'static str>,
    /// Fields may hold anything: Python 3.12.
    is_free: bool,
}

/// How the text between the fields of an f-string is written.
#[derive(Debug, Clone, Copy)]
struct Style {
    quotes: &'static str,
    is_raw: bool,
    /// Nested in the field of another f-string.
    is_nested: bool,
}

impl Quotes {
    /// Whether a literal here stands in a replacement field.
    pub fn is_inside_field(&self) -> bool {
        !self.around.is_empty()
    }

    /// The quotes that a literal here may have, the `preferred` one first.
    pub fn candidates(&self, preferred: char) -> impl Iterator<Item = char> + use<> {
        let other = if preferred == '"' { '\'' } else { '"' };
        let allowed = [preferred, other].map(|quote| self.allows(quote).then_some(quote));
        allowed.into_iter().flatten()
    }

    /// The quote that a literal here should have.
    pub fn allowed(&self, preferred: char) -> char {
        self.candidates(preferred).next().unwrap_or(preferred)
    }

    fn allows(&self, quote: char) -> bool {
        self.is_free
            || !self.around.iter().any(|quotes| quotes.len() == 1 && quotes.starts_with(quote))
    }
}

/// An f-string.
pub fn fstring<R: Annotated>(doc: &mut Doc, joined: &ExprJoinedStr<R>) {
    let ExprJoinedStr { range, values } = joined;
    doc.note(range);
    quoted(doc, values);
}

/// A field outside of an f-string, which no parser makes: it becomes an f-string of its own.
pub fn lone_field<R: Annotated>(doc: &mut Doc, expr: &Expr<R>) {
    quoted(doc, std::slice::from_ref(expr));
}

fn quoted<R: Annotated>(doc: &mut Doc, values: &[Expr<R>]) {
    let is_raw = values.iter().any(has_backslash_in_spec);
    let is_nested = doc.quotes.is_inside_field();
    let preferred = preferred_quote(literal_bytes(values));
    let candidates = match doc.quotes.allowed(preferred) {
        '"' => ["\"", "'", "\"\"\"", "'''"],
        _ => ["'", "\"", "\"\"\"", "'''"],
    };
    let start = doc.layout.checkpoint();
    let hoisted = doc.hoisted.len();
    if !doc.quotes.is_free && doc.quotes.around.len() < MAX_DEPTH {
        for quotes in candidates {
            if write(doc, values, Style { quotes, is_raw, is_nested }) {
                return;
            }
            doc.layout.rewind(start);
            doc.hoisted.truncate(hoisted);
        }
    }
    let was_free = std::mem::replace(&mut doc.quotes.is_free, true);
    write(doc, values, Style { quotes: candidates[0], is_raw: false, is_nested: false });
    doc.quotes.is_free = was_free;
}

/// Writes the f-string; returns whether Python 3.11 reads it.
fn write<R: Annotated>(doc: &mut Doc, values: &[Expr<R>], style: Style) -> bool {
    if style.is_nested && doc.quotes.around.contains(&style.quotes) {
        return false;
    }
    let start = doc.layout.checkpoint();
    doc.text(if style.is_raw { "rf" } else { "f" });
    doc.text(style.quotes);
    let mut is_valid = true;
    for value in values {
        is_valid &= part(doc, value, style, 0);
    }
    doc.text(style.quotes);
    doc.layout.freeze(start);
    is_valid
}

fn part<R: Annotated>(doc: &mut Doc, part: &Expr<R>, style: Style, depth: usize) -> bool {
    match part {
        Expr::Constant(ExprConstant { range, value: Constant::Str(text), kind: _ }) => {
            doc.note(range);
            if depth == 0 { literal(doc, text, style) } else { spec_literal(doc, text, style) }
        }
        Expr::JoinedStr(ExprJoinedStr { range, values }) => {
            doc.note(range);
            let mut is_valid = true;
            for value in values {
                is_valid &= self::part(doc, value, style, depth);
            }
            is_valid
        }
        Expr::FormattedValue(ExprFormattedValue { range, value, conversion, format_spec }) => {
            doc.note(range);
            field(doc, value, *conversion, format_spec.as_deref(), style, depth)
        }
        _ => field(doc, part, ConversionFlag::None, None, style, depth),
    }
}

/// Text between fields.
fn literal(doc: &mut Doc, text: &str, style: Style) -> bool {
    let start = doc.layout.checkpoint();
    let Style { quotes, is_raw, is_nested } = style;
    let mut is_valid = true;
    for char in text.chars() {
        match char {
            '{' => doc.text("{{"),
            '}' => doc.text("}}"),
            '\\' if is_raw => doc.text("\\"),
            _ if quotes.starts_with(char) => {
                is_valid &= !is_raw;
                doc.text("\\");
                doc.layout.char(char);
            }
            _ => {
                let before = doc.layout.checkpoint();
                escaped_char(&mut doc.layout, char);
                is_valid &= !(is_raw && doc.layout.since(before).starts_with('\\'));
            }
        }
    }
    let written = doc.layout.since(start);
    is_valid && !(is_nested && written.contains('\\')) && !(is_raw && written.ends_with('\\'))
}

/// Text in a format spec. Parsers disagree about escapes there.
fn spec_literal(doc: &mut Doc, text: &str, style: Style) -> bool {
    let Style { quotes, is_raw, is_nested: _ } = style;
    let mut is_valid = true;
    for char in text.chars() {
        match char {
            '{' => doc.text("\\x7b"),
            '}' => doc.text("\\x7d"),
            '\\' if is_raw => doc.text("\\"),
            _ if quotes.starts_with(char) => {
                doc.text("\\");
                doc.layout.char(char);
            }
            _ => escaped_char(&mut doc.layout, char),
        }
        is_valid &= is_raw && char == '\\'
            || !doc.layout.written().ends_with('\\') && {
                super::string::is_printable(char)
                    && !quotes.starts_with(char)
                    && !"{}\\".contains(char)
            };
    }
    is_valid
}

/// `{value!r:spec}`
fn field<R: Annotated>(
    doc: &mut Doc,
    value: &Expr<R>,
    conversion: ConversionFlag,
    spec: Option<&Expr<R>>,
    style: Style,
    depth: usize,
) -> bool {
    doc.text("{");
    let start = doc.layout.checkpoint();
    doc.quotes.around.push(style.quotes);
    if needs_parentheses(value) {
        doc.bracket(PARENTHESES, |doc| expr(doc, value));
    } else {
        operand(doc, value, Precedence::Conditional);
    }
    doc.quotes.around.pop();
    let mut is_valid = depth < 2 && is_valid_field(doc.layout.since(start), style.quotes);
    // Two opening braces would be a literal one.
    let opens_with_brace = doc.layout.since(start).starts_with('{');
    if opens_with_brace {
        let written = doc.layout.since(start).to_owned();
        doc.layout.rewind(start);
        doc.text(" ");
        doc.text(&written);
    }
    match conversion {
        ConversionFlag::None => (),
        ConversionFlag::Str => doc.text("!s"),
        ConversionFlag::Ascii => doc.text("!a"),
        ConversionFlag::Repr => doc.text("!r"),
    }
    match spec {
        Some(spec) => {
            doc.text(":");
            is_valid &= part(doc, spec, style, depth + 1);
        }
        None if opens_with_brace && conversion == ConversionFlag::None => doc.text(" "),
        None => (),
    }
    doc.text("}");
    is_valid
}

fn is_valid_field(text: &str, quotes: &str) -> bool {
    !text.contains('\\') && !text.contains(quotes)
}

/// A lambda's colon would start the format spec, at the end of a conditional too.
fn needs_parentheses<R>(value: &Expr<R>) -> bool {
    let mut last = value;
    while let Expr::IfExp(ExprIfExp { orelse, .. }) = last {
        last = orelse;
    }
    precedence(last) < Precedence::Conditional
}

fn literal_bytes<R>(values: &[Expr<R>]) -> impl Iterator<Item = u8> {
    values.iter().filter_map(literal_text).flat_map(str::bytes)
}

fn literal_text<R>(value: &Expr<R>) -> Option<&str> {
    match value {
        Expr::Constant(ExprConstant { value: Constant::Str(text), .. }) => Some(text),
        _ => None,
    }
}

fn has_backslash_in_spec<R>(value: &Expr<R>) -> bool {
    let Expr::FormattedValue(ExprFormattedValue { format_spec: Some(spec), .. }) = value else {
        return false;
    };
    match &**spec {
        Expr::JoinedStr(ExprJoinedStr { values, .. }) => {
            values.iter().filter_map(literal_text).any(|text| text.contains('\\'))
        }
        _ => literal_text(spec).is_some_and(|text| text.contains('\\')),
    }
}
