//! `.astgen/texts`: what was generated last, whole.
//!
//! The file is made for version control. It is text, a line for the texts of a few neighbouring paths, so that
//! a small change of a project is a small change of it, and git merges two branches into a file that holds the
//! texts of both. A line is the digest of the paths and digests in it, a space, and its records as `packed` has them.

use super::packed::{Packer, unpack};
use crate::{Digest, ProjectPath};
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// The first line. The number is the version of the format: a line of version 1 begins with the digest of its records, and
/// until version 2 they are deflated. Lines of all versions may stand in one file, for git merges lines.
const HEADER: &str = "astgen texts 3";

/// How many hexadecimal digits of its digest a line begins with.
const DIGITS: usize = 16;

/// A line holds about this many texts: the more, the smaller the file, and the larger each change of it. Twice as many
/// save 2 % of a small project and 18 % of a thousand entities.
const TEXTS_IN_A_LINE: u8 = 4;

/// Texts by path and digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    texts: HashMap<Digest, String>,
    digests: BTreeMap<ProjectPath, Vec<Digest>>,
}

impl Texts {
    /// The text with this digest.
    #[must_use]
    pub fn get(&self, digest: &Digest) -> Option<&str> {
        self.texts.get(digest).map(String::as_str)
    }

    /// Adds a text that was generated for `path`.
    pub fn insert(&mut self, path: &ProjectPath, text: &str) -> Digest {
        let digest = Digest::of(text.as_bytes());
        self.insert_known(path, digest, text.to_owned());
        digest
    }

    /// Adds a text whose digest is known.
    pub fn insert_known(&mut self, path: &ProjectPath, digest: Digest, text: String) {
        self.texts.entry(digest).or_insert(text);
        match self.digests.get_mut(path) {
            Some(digests) if digests.contains(&digest) => (),
            Some(digests) => digests.push(digest),
            None => _ = self.digests.insert(path.clone(), vec![digest]),
        }
    }

    /// The digests of all texts of a path: several after git merged two branches.
    #[must_use]
    pub fn digests(&self) -> &BTreeMap<ProjectPath, Vec<Digest>> {
        &self.digests
    }

    /// Reads the file. Lines that are damaged are left out.
    #[must_use]
    pub fn read(file: &str) -> Texts {
        let lines: Vec<&str> = file.lines().filter(|line| *line != HEADER).collect();
        let records: Vec<_> = lines.par_iter().filter_map(|line| read_line(line)).collect();
        let mut texts = Texts::default();
        for (path, digest, text) in records.into_iter().flatten() {
            texts.insert_known(&path, digest, text);
        }
        texts
    }

    /// The lines of the file, with the texts that `wanted` names and this has. They are not put together, because that
    /// is another megabyte of fresh memory, and is done by one core.
    #[must_use]
    pub fn write(&self, wanted: &BTreeMap<ProjectPath, Vec<Digest>>) -> Vec<String> {
        let records: Vec<Record<'_>> = wanted
            .iter()
            .flat_map(|(path, digests)| digests.iter().map(move |digest| (path, digest)))
            .filter_map(|(path, digest)| Some((path, *digest, self.get(digest)?)))
            .collect();
        let groups = groups(&records);
        let lines = groups.into_par_iter().map_init(Packer::default, write_line);
        let mut file = vec![format!("{HEADER}\n")];
        file.par_extend(lines);
        file
    }
}

/// A text, where it was generated, and its digest.
type Record<'t> = (&'t ProjectPath, Digest, &'t str);

/// Runs of records. Where one ends follows from its last path alone, so that a new path changes one run.
fn groups<'r, 't>(mut records: &'r [Record<'t>]) -> Vec<&'r [Record<'t>]> {
    let ends = |path: &ProjectPath| {
        Digest::of(path.as_str().as_bytes()).first_byte().is_multiple_of(TEXTS_IN_A_LINE)
    };
    let mut groups = Vec::new();
    while !records.is_empty() {
        let last = records.iter().position(|(path, ..)| ends(path));
        let (group, rest) = records.split_at(last.map_or(records.len(), |last| last + 1));
        groups.push(group);
        records = rest;
    }
    groups
}

fn write_line(packer: &mut Packer, group: &[Record<'_>]) -> String {
    for (path, _, text) in group {
        for part in [path.as_str(), text] {
            packer.add(&(part.len() as u64).to_le_bytes());
            packer.add(part.as_bytes());
        }
    }
    let digest = digest_of(group.iter().map(|(path, digest, _)| (*path, *digest)));
    let mut line = format!("{} ", shown(&digest));
    packer.pack(&mut line);
    line.push('\n');
    line
}

fn read_line(line: &str) -> Option<Vec<(ProjectPath, Digest, String)>> {
    let (digest, packed) = line.split_once(' ')?;
    let records = unpack(packed)?;
    let mut rest = &*records;
    let mut read = Vec::new();
    while !rest.is_empty() {
        let path = ProjectPath::parse(part(&mut rest)?).ok()?;
        let text = part(&mut rest)?;
        read.push((path, Digest::of(text.as_bytes()), text.to_owned()));
    }
    let is_whole = shown(&digest_of(read.iter().map(|(path, digest, _)| (path, *digest))))
        == digest
        || shown(&Digest::of(&records)) == digest;
    is_whole.then_some(read)
}

/// The digest of a line. Digesting the texts themselves again would take a tenth of a build.
fn digest_of<'t>(records: impl Iterator<Item = (&'t ProjectPath, Digest)>) -> Digest {
    let named = records.map(|(path, digest)| format!("{digest} {path}\n"));
    Digest::of(named.collect::<String>().as_bytes())
}

/// What a line shows of its digest.
fn shown(digest: &Digest) -> String {
    format!("{digest:.DIGITS$}")
}

fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (length, tail) = rest.split_first_chunk::<8>()?;
    let (text, tail) = tail.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    *rest = tail;
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::{Texts, digest_of, shown};
    use crate::{Digest, ProjectPath};
    use data_encoding::BASE64;
    use miniz_oxide::deflate::compress_to_vec;
    use proptest::prelude::*;

    fn texts(files: &[(String, String)]) -> Texts {
        let mut texts = Texts::default();
        for (path, text) in files {
            texts.insert(&ProjectPath::parse(path.clone()).expect("a good path"), text);
        }
        texts
    }

    fn many(count: usize) -> Vec<(String, String)> {
        (0..count).map(|at| (format!("app/thing_{at}.py"), format!("x = {at}\n"))).collect()
    }

    fn written(texts: &Texts) -> String {
        texts.write(texts.digests()).concat()
    }

    proptest! {
        #![proptest_config(crate::test_config())]

        #[test]
        fn what_is_written_is_read(files in proptest::collection::vec(("[a-z]{1,4}", ".{0,40}"), 0..40)) {
            let texts = texts(&files);
            prop_assert_eq!(Texts::read(&written(&texts)), texts);
        }

        #[test]
        fn reading_takes_anything(file in ".{0,200}") {
            let _ = Texts::read(&file);
        }
    }

    #[test]
    fn a_new_text_changes_one_line() {
        let all = texts(&many(200));
        let fewer = texts(
            &many(200).into_iter().filter(|(path, _)| !path.contains("_77")).collect::<Vec<_>>(),
        );
        let (all, fewer) = (all.write(all.digests()), fewer.write(fewer.digests()));
        let new = all.iter().filter(|line| !fewer.contains(line)).count();
        assert_eq!(new, 1);
    }

    #[test]
    fn a_damaged_line_costs_its_own_texts_only() {
        let whole = texts(&many(200));
        let file = written(&whole);
        let lines: Vec<&str> = file.lines().collect();
        let damaged = file.replace(lines[3], &lines[3][..lines[3].len() - 8]);
        let read = Texts::read(&damaged);
        assert!(read.digests().len() > 150 && read.digests().len() < 200);
        assert!(read.digests().iter().all(|(path, digests)| whole.digests()[path] == *digests));
    }

    #[test]
    fn lines_of_earlier_versions_are_read() {
        let records = b"\x04\0\0\0\0\0\0\0a.py\x06\0\0\0\0\0\0\0x = 1\n";
        let deflated = BASE64.encode(&compress_to_vec(records, 1));
        let line =
            |version, digest| format!("astgen texts {version}\n{} {deflated}\n", shown(&digest));
        let expected = texts(&[("a.py".to_owned(), "x = 1\n".to_owned())]);
        let second = digest_of(expected.digests().iter().map(|(path, them)| (path, them[0])));
        assert_eq!(Texts::read(&line(1, Digest::of(records))), expected);
        assert_eq!(Texts::read(&line(2, second)), expected);
        assert_eq!(Texts::read(&line(2, Digest::of(b"other records"))), Texts::default());
    }

    #[test]
    fn both_sides_of_a_merge_are_read() {
        let (one, other) = (texts(&many(20)), texts(&many(21)));
        let union = written(&one) + &written(&other);
        assert_eq!(Texts::read(&union), other);
    }
}
