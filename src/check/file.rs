//! The round trip of one file.

use super::Finding;
use astgen_pyast::{first_difference, parse_module, print};
use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// The largest file that is read, in bytes: its trees take some hundred times as much memory.
pub const LARGEST: u64 = 16 << 20;

/// What came of a file, and its bytes.
pub enum Checked {
    /// The printed text has the same tree.
    Equal(u64),
    /// Nothing is known about the file.
    Refused(u64, Finding),
    /// A fault of astgen.
    Failed(u64, Finding),
}

enum Trouble {
    Refused(Option<(usize, usize)>, String),
    Failed(Option<(usize, usize)>, String),
}

/// Parses, prints, parses again and compares.
pub fn check(path: &Path) -> Checked {
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Checked::Refused(0, finding(path, None, error.to_string())),
    };
    let size = bytes.len() as u64;
    // A fault in one file must not hide what is known of the others.
    let result = catch_unwind(AssertUnwindSafe(|| round_trip(&bytes)))
        .unwrap_or_else(|_| Err(Trouble::Failed(None, "astgen panicked".to_owned())));
    match result {
        Ok(()) => Checked::Equal(size),
        Err(Trouble::Refused(place, message)) => {
            Checked::Refused(size, finding(path, place, message))
        }
        Err(Trouble::Failed(place, message)) => {
            Checked::Failed(size, finding(path, place, message))
        }
    }
}

/// The bytes of a regular file: a pipe or a device may never end.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("larger than {} MiB", LARGEST >> 20)));
    }
    Ok(bytes)
}

fn finding(path: &Path, place: Option<(usize, usize)>, message: String) -> Finding {
    let (line, column) = place.unzip();
    Finding { path: path.to_owned(), line, column, message }
}

fn round_trip(bytes: &[u8]) -> Result<(), Trouble> {
    let Some(source) = decode(bytes) else {
        return Err(Trouble::Refused(None, "neither UTF-8 nor declared as Latin-1".to_owned()));
    };
    let tree = match parse_module(&source) {
        Ok(tree) => tree,
        Err(error) => {
            return Err(Trouble::Refused(Some((error.line, error.column)), error.message));
        }
    };
    let printed = print(&tree);
    let again = match parse_module(&printed) {
        Ok(again) => again,
        Err(error) => {
            let message = format!("the printed text does not parse: {}", error.message);
            return Err(Trouble::Failed(Some((error.line, error.column)), message));
        }
    };
    match first_difference(&tree, &again) {
        None if print(&again) == printed => Ok(()),
        None => Err(Trouble::Failed(None, "printing the printed text gives another text".into())),
        Some(difference) => {
            let message = format!("the printed text has another tree at {}", difference.path);
            Err(Trouble::Failed(None, message))
        }
    }
}

/// The text of a Python file: Latin-1 where the file declares it, else UTF-8 (PEP 263).
fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if declares_latin_1(bytes) {
        return Some(bytes.iter().map(|byte| char::from(*byte)).collect());
    }
    std::str::from_utf8(bytes).ok().map(Cow::Borrowed)
}

fn declares_latin_1(bytes: &[u8]) -> bool {
    let head: String = bytes.iter().take(400).map(|byte| char::from(*byte)).collect();
    let mut comments = head.lines().take(2).filter(|line| line.trim_start().starts_with('#'));
    comments.any(|line| {
        let line = line.to_lowercase().replace('_', "-");
        let encoding =
            line.split_once("coding").map(|(_, rest)| rest.trim_start_matches([':', '=', ' ']));
        encoding.is_some_and(|it| {
            ["latin-1", "latin1", "iso-8859-1", "iso8859-1"].iter().any(|name| {
                it.strip_prefix(name).is_some_and(|rest| {
                    !rest.starts_with(|next: char| next.is_ascii_alphanumeric())
                })
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: Option<&str>) {
        assert_eq!(decode(bytes).as_deref(), expected);
    }

    #[test]
    fn encodings() {
        check("x = 'é'".as_bytes(), Some("x = 'é'"));
        check(b"x = '\xe9'", None);
        check(b"# -*- coding: latin-1 -*-\nx = '\xe9'", Some("# -*- coding: latin-1 -*-\nx = 'é'"));
        check(b"#!/bin/python\n# vim: fileencoding=iso-8859-1\n\xe9", {
            Some("#!/bin/python\n# vim: fileencoding=iso-8859-1\né")
        });
        check(b"# coding: iso-8859-15\n\xe9", None);
        check(b"\n\n# coding: latin-1\n\xe9", None);
    }
}
