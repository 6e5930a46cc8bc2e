//! Reading the spec from disk.

use crate::Error;
use astgen_emitters::spec::{self, Spec};
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// The checked spec in the file `path`.
///
/// # Errors
/// When there is no such file, it is not UTF-8 text, or it has errors: all of them are reported.
pub fn read(path: &Path) -> Result<Spec, Error> {
    if path.is_dir() {
        return Err(Error::SpecIsFolder(path.to_owned()));
    }
    let bytes = start(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => Error::NoSpec(path.to_owned()),
        _ => Error::io("read", path)(source),
    })?;
    if bytes.len() > spec::MAX_BYTES {
        // It may end within a character.
        return Ok(spec::read(&String::from_utf8_lossy(&bytes), &path.display().to_string())?);
    }
    let source = String::from_utf8(bytes).map_err(|error| Error::NotUtf8 {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })?;
    Ok(spec::read(&source, &path.display().to_string())?)
}

/// The whole file, or more of it than a spec can have: a device may never end.
fn start(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(spec::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
