//! How deep a text nests, found without parsing it: trees are dropped, compared and printed by
//! recursion, so a text whose tree would overflow the stack is refused before there is a tree.

/// How deep brackets and blocks may nest in a text that is to be parsed.
pub const MAX_DEPTH: usize = 200;

/// How many operators, dots, calls or `elif`s may follow each other in one expression or statement.
pub const MAX_CHAIN: usize = 500;

/// A place where a text nests too deeply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooDeep {
    /// In bytes.
    pub offset: usize,
}

/// Looks for nesting beyond the limits. Strings and comments do not count; a text that is not
/// Python may be refused for nesting that a parser would not see.
pub fn check(source: &str) -> Result<(), TooDeep> {
    let mut scan = Scan {
        bytes: source.as_bytes(),
        at: 0,
        brackets: Vec::new(),
        links: 0,
        blocks: Vec::new(),
    };
    while scan.at < scan.bytes.len() {
        scan.logical_line()?;
    }
    Ok(())
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The links before each open bracket.
    brackets: Vec<usize>,
    /// The links of the expression being read, on this side of its commas.
    links: usize,
    blocks: Vec<Indentation>,
}

struct Indentation {
    columns: usize,
    /// The `elif`s of the statement being read.
    ladder: usize,
}

impl Scan<'_> {
    fn logical_line(&mut self) -> Result<(), TooDeep> {
        let start = self.at;
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\x0c')) {
            self.at += 1;
        }
        if !matches!(self.byte(), None | Some(b'\n' | b'\r' | b'#')) {
            self.indentation(self.at - start)?;
        }
        self.links = 0;
        self.brackets.clear();
        while let Some(byte) = self.byte() {
            self.at += 1;
            match byte {
                b'\n' | b'\r' if self.brackets.is_empty() => return Ok(()),
                b'\\' => self.at += 1,
                b'#' => self.skip(&COMMENT),
                b'"' | b'\'' => self.string(byte),
                b'(' | b'[' | b'{' => {
                    self.link()?;
                    self.brackets.push(std::mem::take(&mut self.links));
                }
                b')' | b']' | b'}' => self.links = self.brackets.pop().unwrap_or(0),
                b',' | b';' => self.links = 0,
                b'+' | b'-' | b'*' | b'/' | b'%' | b'@' | b'&' | b'|' | b'^' | b'~' | b'<'
                | b'>' | b'.' => self.link()?,
                byte if WORD[usize::from(byte)] => self.word()?,
                _ => (),
            }
        }
        Ok(())
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self, skipped: &Bytes) {
        let rest = &self.bytes[self.at.min(self.bytes.len())..];
        let end = rest.iter().position(|byte| !skipped[usize::from(*byte)]);
        self.at += end.unwrap_or(rest.len());
    }

    fn link(&mut self) -> Result<(), TooDeep> {
        self.links += 1;
        let outer: usize = self.brackets.iter().sum();
        self.within(outer + self.links <= MAX_CHAIN)?;
        self.within(self.brackets.len() + self.blocks.len() <= MAX_DEPTH)
    }

    fn within(&self, is_within: bool) -> Result<(), TooDeep> {
        if is_within { Ok(()) } else { Err(TooDeep { offset: self.at }) }
    }

    fn word(&mut self) -> Result<(), TooDeep> {
        let start = self.at - 1;
        self.skip(&WORD);
        match &self.bytes[start..self.at] {
            b"not" | b"await" | b"lambda" | b"else" | b"yield" | b"and" | b"or" => self.link(),
            _ => Ok(()),
        }
    }

    fn indentation(&mut self, columns: usize) -> Result<(), TooDeep> {
        while self.blocks.last().is_some_and(|block| block.columns > columns) {
            self.blocks.pop();
        }
        if self.blocks.last().is_none_or(|block| block.columns < columns) {
            self.blocks.push(Indentation { columns, ladder: 0 });
        }
        let rest = &self.bytes[self.at..];
        let (is_elif, is_else) = (rest.starts_with(b"elif"), rest.starts_with(b"else"));
        if let Some(block) = self.blocks.last_mut() {
            block.ladder = if is_elif || is_else { block.ladder + usize::from(is_elif) } else { 0 };
        }
        let ladders: usize = self.blocks.iter().map(|block| block.ladder).sum();
        self.within(self.blocks.len() <= MAX_DEPTH && ladders <= MAX_CHAIN)
    }

    /// The rest of a string that starts with `quote`; one that does not end, ends with the line.
    fn string(&mut self, quote: u8) {
        let is_triple = self.bytes[self.at..].starts_with(&[quote, quote]);
        if is_triple {
            self.at += 2;
        }
        let plain = if is_triple { &TRIPLE_QUOTED } else { &QUOTED };
        loop {
            self.skip(plain);
            let Some(byte) = self.byte() else { return };
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'\n' | b'\r' => return,
                _ if byte == quote && !is_triple => return,
                _ if byte == quote && self.bytes[self.at..].starts_with(&[quote, quote]) => {
                    self.at += 2;
                    return;
                }
                _ => (),
            }
        }
    }
}

/// A set of bytes: every merge reads four texts, so each byte costs one look.
type Bytes = [bool; 256];

/// What names and numbers are made of.
static WORD: Bytes = {
    let mut bytes = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let ascii = byte as u8;
        bytes[byte] = ascii.is_ascii_alphanumeric() || ascii == b'_' || byte >= 0x80;
        byte += 1;
    }
    bytes
};

static COMMENT: Bytes = all_but(b"\n\r");

static QUOTED: Bytes = all_but(b"\"'\\\n\r");

static TRIPLE_QUOTED: Bytes = all_but(b"\"'\\");

const fn all_but(stops: &[u8]) -> Bytes {
    let mut bytes = [true; 256];
    let mut at = 0;
    while at < stops.len() {
        bytes[stops[at] as usize] = false;
        at += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_limit(limit: usize, source: impl Fn(usize) -> String) {
        assert_eq!(check(&source(limit)), Ok(()));
        assert!(check(&source(limit + 10)).is_err());
    }

    #[test]
    fn brackets() {
        check_limit(MAX_DEPTH - 2, |n| format!("{}{}", "[".repeat(n), "]".repeat(n)));
    }

    #[test]
    fn blocks() {
        check_limit(MAX_DEPTH - 2, |n| {
            (0..n).map(|i| format!("{}if a:\n", " ".repeat(i))).collect()
        });
    }

    #[test]
    fn operators() {
        check_limit(MAX_CHAIN, |n| format!("x = a{}", " + a".repeat(n)));
        check_limit(MAX_CHAIN, |n| format!("x = {}a", "not ".repeat(n)));
        check_limit(MAX_CHAIN, |n| format!("x = a{}", ".b".repeat(n)));
    }

    #[test]
    fn ladders() {
        check_limit(MAX_CHAIN, |n| format!("if a: b\n{}", "elif a: b\n".repeat(n)));
    }

    #[test]
    fn long_is_not_deep() {
        assert_eq!(check(&format!("x = [{}]", "-1.0, ".repeat(100_000))), Ok(()));
        assert_eq!(check(&"x = a + b\n".repeat(100_000)), Ok(()));
        assert_eq!(check(&format!("x = '{}'", "(".repeat(100_000))), Ok(()));
        assert_eq!(check(&format!("# {}", "(".repeat(100_000))), Ok(()));
    }
}
