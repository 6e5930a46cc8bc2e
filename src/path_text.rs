//! Paths in JSON: a path of a disk may be no Unicode text, and JSON holds nothing else.

use serde::Serializer;
use std::path::Path;

/// Writes the path as text, with U+FFFD for what is none.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}
