//! Reading the spec from disk.

use crate::Error;
use astgen_emitters::spec::{self, Spec};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The checked spec in the file `path`.
///
/// # Errors
/// When there is no such file, it is not UTF-8 text, or it has errors: all of them are reported.
pub fn read(path: &Path) -> Result<Spec, Error> {
    if path.is_dir() {
        return Err(Error::SpecIsFolder(path.to_owned()));
    }
    let bytes = fs::read(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => Error::NoSpec(path.to_owned()),
        _ => Error::io("read", path)(source),
    })?;
    let source = String::from_utf8(bytes).map_err(|error| Error::NotUtf8 {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })?;
    Ok(spec::read(&source, &path.display().to_string())?)
}
