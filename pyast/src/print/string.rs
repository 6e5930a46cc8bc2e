//! String and bytes literals.
//!
//! What a reader could not see, or could take for something else, is written as an escape: control
//! characters, bidirectional overrides, zero-width characters, unusual spaces. So no text can break
//! out of its literal, and none hides in the file.

use super::Doc;
use crate::layout::Layout;
use std::fmt::Write;

/// A string on one line.
pub fn string(doc: &mut Doc, text: &str) {
    if doc.quotes.is_inside_field() {
        return nested(doc, text);
    }
    let quote = preferred_quote(text.bytes());
    quoted(&mut doc.layout, text, quote);
}

/// A bytes literal.
pub fn bytes(doc: &mut Doc, bytes: &[u8]) {
    let quotes = match preferred_quote(bytes.iter().copied()) {
        preferred if doc.quotes.is_inside_field() => doc.quotes.allowed(preferred),
        preferred => preferred,
    };
    let mut literal = String::from("b");
    literal.push(quotes);
    for byte in bytes {
        match byte {
            b'\n' => literal.push_str("\\n"),
            b'\r' => literal.push_str("\\r"),
            b'\t' => literal.push_str("\\t"),
            b'\\' => literal.push_str("\\\\"),
            _ if char::from(*byte) == quotes => {
                literal.push('\\');
                literal.push(quotes);
            }
            b' '..=b'~' => literal.push(char::from(*byte)),
            _ => drop(write!(literal, "\\x{byte:02x}")),
        }
    }
    literal.push(quotes);
    doc.text(&literal);
}

/// Double quotes, unless single ones save escapes.
pub fn preferred_quote(bytes: impl Iterator<Item = u8>) -> char {
    let (mut single, mut double) = (0, 0);
    for byte in bytes {
        single += usize::from(byte == b'\'');
        double += usize::from(byte == b'"');
    }
    if double > single { '\'' } else { '"' }
}

/// Inside a replacement field no backslash may stand, nor the quotes of the f-string around it.
fn nested(doc: &mut Doc, text: &str) {
    let start = doc.layout.checkpoint();
    for quote in doc.quotes.candidates(preferred_quote(text.bytes())) {
        quoted(&mut doc.layout, text, quote);
        if !doc.layout.since(start).contains('\\') {
            return;
        }
        doc.layout.rewind(start);
    }
    quoted(&mut doc.layout, text, doc.quotes.allowed('"'));
}

fn quoted(layout: &mut Layout, text: &str, quote: char) {
    layout.char(quote);
    escaped(layout, text, quote);
    layout.char(quote);
}

/// `text` with as few escapes as stand for it between `quote`s on one line.
pub fn escaped(layout: &mut Layout, text: &str, quote: char) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'\\' && byte != quote as u8;
    let mut rest = text;
    loop {
        let plain = rest.bytes().position(|byte| !is_plain(byte)).unwrap_or(rest.len());
        layout.text(&rest[..plain]);
        rest = &rest[plain..];
        let Some(char) = rest.chars().next() else {
            return;
        };
        if char == quote {
            layout.char('\\');
            layout.char(quote);
        } else {
            escaped_char(layout, char);
        }
        rest = &rest[char.len_utf8()..];
    }
}

/// One character, escaped unless it is printable.
pub fn escaped_char(layout: &mut Layout, char: char) {
    match char {
        '\\' => layout.text("\\\\"),
        '\n' => layout.text("\\n"),
        '\r' => layout.text("\\r"),
        '\t' => layout.text("\\t"),
        _ if is_printable(char) => layout.char(char),
        _ => layout.text(&numeric_escape(char)),
    }
}

/// `\x1b`, `\u202e`, `\U000e0001`
pub fn numeric_escape(char: char) -> String {
    match u32::from(char) {
        code @ ..=0xff => format!("\\x{code:02x}"),
        code @ ..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

/// Whether a reader sees `char` for what it is.
pub fn is_printable(char: char) -> bool {
    match char {
        ' '..='~' => true,
        // Stands for what could not be decoded, a lone surrogate for one.
        '\u{fffd}' => false,
        // After a space, `str::escape_debug` escapes what has no visible form, and nothing else:
        // the categories Cc, Cf, Cs, Co, Cn, Zl, Zp and Zs.
        _ => {
            let mut buffer = [b' '; 5];
            char.encode_utf8(&mut buffer[1..]);
            let text = str::from_utf8(&buffer[..1 + char.len_utf8()]).unwrap_or_default();
            text.escape_debug().nth(1) == Some(char)
        }
    }
}
