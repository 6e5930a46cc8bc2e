//! A new project on disk, and single files that a command writes. What changes an existing project goes through
//! [`crate::disk`].

use crate::disk::STATE;
use crate::state::manifest::Manifest;
use crate::state::texts::Texts;
use crate::{Digest, Error, ProjectPath, regions, state};
use astgen_emitters::{Printed, spec};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempDir};

/// What stands in a folder that a project is to be built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing but a spec or a version control folder: the project is new.
    New,
    /// A project that astgen built.
    Existing,
}

/// What stands in `folder`.
///
/// # Errors
/// When it is not a folder, holds somebody else's files, or cannot be read.
pub fn standing(folder: &Path, spec: &spec::Spec) -> Result<Standing, Error> {
    match fs::metadata(folder) {
        Ok(metadata) if !metadata.is_dir() => return Err(Error::OutputIsFile(folder.to_owned())),
        Ok(_) => (),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Standing::New),
        Err(error) => return Err(Error::io("open", folder)(error)),
    }
    if fs::symlink_metadata(folder.join(STATE)).is_ok() {
        return Ok(Standing::Existing);
    }
    match foreign_file(folder)? {
        None => Ok(Standing::New),
        Some(_) if has_generated_file(folder, spec) => Ok(Standing::Existing),
        Some(example) => Err(Error::ForeignOutput { folder: folder.to_owned(), example }),
    }
}

/// Whether a file holds a region of astgen's: the project is one that lost its state.
fn has_generated_file(folder: &Path, spec: &spec::Spec) -> bool {
    astgen_emitters::generate(spec).iter().any(|file| {
        let bytes = fs::read(folder.join(&file.path));
        bytes.is_ok_and(|bytes| regions::has_regions(&String::from_utf8_lossy(&bytes)))
    })
}

/// Builds a new project in `folder`: it appears whole or not at all. Gives the paths of its files.
///
/// # Errors
/// When the operating system refuses; nothing is left behind then.
pub fn create(folder: &Path, spec: &spec::Spec) -> Result<Vec<String>, Error> {
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let missing = missing_ancestor(parent);
    let result = fs::create_dir_all(parent)
        .map_err(Error::io("create", parent))
        .and_then(|()| create_in(parent, folder, spec));
    if let (Err(_), Some(missing)) = (&result, missing) {
        // Only folders that this run made, and only while they are empty.
        remove_empty_folders(&missing, parent);
    }
    result
}

/// Builds the project beside its place and moves it there in one step, where nothing is in the way.
fn create_in(parent: &Path, folder: &Path, spec: &spec::Spec) -> Result<Vec<String>, Error> {
    // Removed with all it holds when this function returns early.
    let staging = tempfile::Builder::new()
        .prefix(".astgen-new-")
        .tempdir_in(parent)
        .map_err(Error::io("create a folder in", parent))?;
    let files = write_project(staging.path(), spec)?;
    put_in_place(staging, folder)?;
    Ok(files)
}

/// Writes a project with its state into an empty folder. Each file is written as soon as it is printed, while others
/// are made.
fn write_project(folder: &Path, spec: &spec::Spec) -> Result<Vec<String>, Error> {
    let written = astgen_emitters::generate_with(spec, |Printed { path, text }| {
        let path = ProjectPath::parse(&*path).map_err(Error::unsafe_path(&path))?;
        write(&folder.join(path.as_str()), &[&text])?;
        Ok::<_, Error>((path, Digest::of(text.as_bytes()), text))
    });
    let mut manifest = Manifest::empty();
    manifest.stamp(spec);
    let mut kept = Texts::default();
    for file in written {
        let (path, digest, text) = file?;
        kept.insert_known(&path, digest, text);
        manifest.files.insert(path, digest);
    }
    for (path, pieces) in state::files(&manifest, &kept) {
        write(&folder.join(path), &pieces)?;
    }
    Ok(manifest.files.into_keys().map(|path| path.to_string()).collect())
}

/// Writes a file piece by piece, with the folders above it.
fn write(path: &Path, pieces: &[impl AsRef<str>]) -> Result<(), Error> {
    let file = File::create(path).or_else(|error| match (error.kind(), path.parent()) {
        (ErrorKind::NotFound, Some(parent)) => {
            fs::create_dir_all(parent)?;
            File::create(path)
        }
        _ => Err(error),
    });
    let written = file.and_then(|mut file| {
        pieces.iter().try_for_each(|piece| file.write_all(piece.as_ref().as_bytes()))
    });
    written.map_err(Error::io("write", path))
}

/// A folder is free for a new project when it holds nothing but a spec or a version control folder: the name of
/// something else.
fn foreign_file(folder: &Path) -> Result<Option<PathBuf>, Error> {
    for entry in fs::read_dir(folder).map_err(Error::io("open", folder))? {
        let entry = entry.map_err(Error::io("open", folder))?;
        let name = entry.file_name();
        if name != ".git" && name != "astgen.toml" {
            return Ok(Some(name.into()));
        }
    }
    Ok(None)
}

fn put_in_place(staging: TempDir, folder: &Path) -> Result<(), Error> {
    readable_by_all(staging.path())?;
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        // A spec or `.git` stands there already: move entry by entry.
        for entry in fs::read_dir(staging.path()).map_err(Error::io("read", staging.path()))? {
            let entry = entry.map_err(Error::io("read", staging.path()))?;
            let target = folder.join(entry.file_name());
            if !target.exists() {
                fs::rename(entry.path(), &target).map_err(Error::io("create", &target))?;
            }
        }
        return Ok(());
    }
    // A link to an empty folder stays a link.
    let place = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    fs::rename(staging.path(), place).map_err(Error::io("create", folder))?;
    // The folder has moved away: there is nothing left to remove.
    let _ = staging.keep();
    Ok(())
}

/// Temporary folders are private to their user; a project is as readable as any other folder.
#[cfg(unix)]
fn readable_by_all(folder: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    let probe = folder.join(".astgen");
    let mode = fs::metadata(&probe).map_err(Error::io("read", &probe))?.permissions().mode();
    fs::set_permissions(folder, fs::Permissions::from_mode(mode))
        .map_err(Error::io("change", folder))
}

#[cfg(not(unix))]
fn readable_by_all(_folder: &Path) -> Result<(), Error> {
    Ok(())
}

fn missing_ancestor(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .take_while(|ancestor| !ancestor.as_os_str().is_empty() && !ancestor.exists())
        .last()
        .map(Path::to_owned)
}

fn remove_empty_folders(top: &Path, bottom: &Path) {
    for folder in bottom.ancestors().take_while(|folder| folder.starts_with(top)) {
        if fs::remove_dir(folder).is_err() {
            return;
        }
    }
}

/// Puts a file in place in one step: a reader sees the old text or the new one.
///
/// # Errors
/// When the operating system refuses; the file is then as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let file = stage(path, bytes).map_err(Error::io("write", path))?;
    file.persist(path).map_err(|error| Error::io("write", path)(error.error))?;
    Ok(())
}

/// A file with these bytes, beside `path`, which is removed again when it is dropped.
fn stage(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".astgen-");
    if let Some(permissions) = usual_permissions() {
        builder.permissions(permissions);
    }
    let mut file = builder.tempfile_in(parent)?;
    if let Ok(metadata) = fs::metadata(path) {
        file.as_file().set_permissions(metadata.permissions())?;
    }
    file.write_all(bytes)?;
    Ok(file)
}

/// Temporary files are private to their user; these become files like any other.
#[cfg(unix)]
fn usual_permissions() -> Option<fs::Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn usual_permissions() -> Option<fs::Permissions> {
    None
}

/// Writes a file that must not be there yet, with the folders above it.
///
/// # Errors
/// When the file is there already, or the operating system refuses.
pub fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::io("create", parent))?;
    let mut file = File::create_new(path).map_err(Error::io("create", path))?;
    file.write_all(text.as_bytes()).map_err(Error::io("write", path))
}
