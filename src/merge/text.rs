//! Bytes to text and back: byte order mark, line endings and the last newline are habits of a file, not
//! content, and survive a merge.

/// A decoded file: its text with `\n` only, and what it took off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// UTF-8, without a byte order mark, every line ended by `\n` but perhaps the last.
    pub text: String,
    /// Whether the file starts with a byte order mark.
    pub byte_order_mark: bool,
    /// How each line of the file ends, in order; the last may end with [`Ending::Missing`].
    endings: Vec<Ending>,
}

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Lf,
    CrLf,
    Cr,
    Missing,
}

/// A file that is not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotText {
    /// Not UTF-8.
    #[error("it is not UTF-8 text (byte {0})")]
    NotUtf8(usize),
    /// Holds a NUL.
    #[error("it holds a NUL (byte {0})")]
    Nul(usize),
}

/// Decodes a file.
///
/// # Errors
/// When it is not UTF-8, or holds a NUL: then it is no text that could be merged.
///
/// ```
/// use astgen::merge::text::decode;
/// assert_eq!(decode(b"a\r\nb").unwrap().text, "a\nb");
/// assert!(decode(b"\xff").is_err());
/// ```
pub fn decode(bytes: &[u8]) -> Result<Text, NotText> {
    let source =
        std::str::from_utf8(bytes).map_err(|error| NotText::NotUtf8(error.valid_up_to()))?;
    if let Some(nul) = source.find('\0') {
        return Err(NotText::Nul(nul));
    }
    let stripped = source.strip_prefix('\u{feff}');
    let (text, endings) = unify(stripped.unwrap_or(source));
    Ok(Text { text, byte_order_mark: stripped.is_some(), endings })
}

fn unify(source: &str) -> (String, Vec<Ending>) {
    if !source.contains('\r') {
        let mut endings = vec![Ending::Lf; source.bytes().filter(|byte| *byte == b'\n').count()];
        if !source.is_empty() && !source.ends_with('\n') {
            endings.push(Ending::Missing);
        }
        return (source.to_owned(), endings);
    }
    let mut text = String::with_capacity(source.len());
    let mut endings = Vec::new();
    let mut rest = source;
    while let Some(end) = rest.find(['\n', '\r']) {
        let (line, tail) = rest.split_at(end);
        let ending = match tail.as_bytes() {
            [b'\r', b'\n', ..] => Ending::CrLf,
            [b'\r', ..] => Ending::Cr,
            _ => Ending::Lf,
        };
        text.push_str(line);
        text.push('\n');
        endings.push(ending);
        rest = &tail[ending.as_str().len()..];
    }
    if !rest.is_empty() {
        text.push_str(rest);
        endings.push(Ending::Missing);
    }
    (text, endings)
}

impl Ending {
    fn as_str(self) -> &'static str {
        match self {
            Ending::Lf => "\n",
            Ending::CrLf => "\r\n",
            Ending::Cr => "\r",
            Ending::Missing => "",
        }
    }
}

/// Gives `text` the habits of `like`: its byte order mark, and the ending of each line that it still has;
/// other lines end as most of its lines do.
///
/// ```
/// use astgen::merge::text::{decode, encode};
/// let ours = decode(b"\xef\xbb\xbfa\r\nb\r\n").unwrap();
/// assert_eq!(encode("a\nx\nb\n", &ours), b"\xef\xbb\xbfa\r\nx\r\nb\r\n");
/// ```
pub fn encode(text: &str, like: &Text) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() + like.endings.len());
    if like.byte_order_mark {
        bytes.extend_from_slice("\u{feff}".as_bytes());
    }
    let usual = usual(&like.endings);
    if like.endings.iter().all(|ending| matches!(ending, Ending::Lf | Ending::Missing)) {
        bytes.extend_from_slice(text.as_bytes());
        return bytes;
    }
    for (line, ending) in text.split_inclusive('\n').zip(line_endings(text, like, usual)) {
        bytes.extend_from_slice(line.strip_suffix('\n').unwrap_or(line).as_bytes());
        if line.ends_with('\n') {
            bytes.extend_from_slice(ending.as_str().as_bytes());
        }
    }
    bytes
}

/// The ending of each line of `text`: that of the same line in `like`, where there is one.
fn line_endings(text: &str, like: &Text, usual: Ending) -> Vec<Ending> {
    let (old, new) = (super::lines::split(&like.text), super::lines::split(text));
    let mut endings = vec![usual; new.len()];
    if like.endings.iter().all(|ending| *ending == usual || *ending == Ending::Missing) {
        return endings;
    }
    for (place, ending) in super::lines::matches(&old, &new).into_iter().zip(&like.endings) {
        if let (Some(place), true) = (place, *ending != Ending::Missing) {
            endings[place] = *ending;
        }
    }
    endings
}

fn usual(endings: &[Ending]) -> Ending {
    let count = |wanted: Ending| endings.iter().filter(|ending| **ending == wanted).count();
    [Ending::Cr, Ending::CrLf, Ending::Lf]
        .into_iter()
        .max_by_key(|ending| count(*ending))
        .unwrap_or(Ending::Lf)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_keeps_its_own_habits(source in "\u{feff}?([ab]{0,2}(\n|\r\n|\r)){0,8}[ab]{0,2}") {
            let text = decode(source.as_bytes()).unwrap();
            prop_assert!(!text.text.contains('\r'));
            prop_assert_eq!(encode(&text.text, &text), source.as_bytes());
        }
    }

    #[test]
    fn new_lines_end_as_most_lines_do() {
        let ours = decode(b"a\r\nb\nc\r\n").unwrap();
        assert_eq!(encode("a\nb\nx\nc\n", &ours), b"a\r\nb\nx\r\nc\r\n");
    }
}
