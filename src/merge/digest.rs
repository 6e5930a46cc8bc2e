//! The hash that digests of nodes and items are made with.
//!
//! Digests live as long as one merge. There are some for every token of three files, so the hash is a fast one;
//! it is the variant of the better quality, since two digests that are equal are taken for one text.

use std::hash::{BuildHasher, Hash, Hasher};

/// Hashes what belongs to one digest.
pub type Digester = foldhash::quality::FoldHasher<'static>;

/// A hash of nothing yet. Its seed is fixed, so that a merge is the same every time.
pub fn digester() -> Digester {
    foldhash::quality::FixedState::default().build_hasher()
}

/// The digest of one value.
pub fn digest_of(value: &(impl Hash + ?Sized)) -> u64 {
    let mut digester = digester();
    value.hash(&mut digester);
    digester.finish()
}
