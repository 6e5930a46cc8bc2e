//! A generated project on disk. This is the one module that writes files.

use crate::Error;
use astgen_emitters::{Generated, spec};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Where the state of a project is kept, relative to its folder.
pub const MANIFEST: &str = ".astgen/manifest.json";

/// What the last build made. It holds no time, no secret and no path of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this format.
    pub format: u32,
    /// The version of astgen that built the project.
    pub generator: String,
    /// The digest of the resolved spec.
    pub spec: String,
    /// SHA-256 of every generated file, by its path.
    pub files: BTreeMap<String, String>,
}

/// What a build did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Built {
    /// The project's folder.
    #[serde(serialize_with = "crate::path_text::serialize")]
    pub folder: PathBuf,
    /// Files that were not there before.
    pub created: Vec<String>,
    /// Files that were rewritten.
    pub updated: Vec<String>,
    /// Files that are no longer generated and were removed.
    pub deleted: Vec<String>,
    /// Files that are as they should be.
    pub unchanged: usize,
}

/// Writes the generated files into `folder`.
///
/// A new project appears whole or not at all. In one that astgen built before, files that nobody edited
/// are brought up to date.
///
/// # Errors
/// When the folder holds somebody else's files, when a file that would change was edited, or when the
/// operating system refuses. A new project then leaves nothing behind.
pub fn write(folder: &Path, spec: &spec::Spec, files: &[Generated]) -> Result<Built, Error> {
    let texts: Vec<(&str, String)> =
        files.par_iter().map(|file| (file.path.as_str(), file.text())).collect();
    let manifest = manifest(spec, &texts);
    match fs::metadata(folder) {
        Ok(metadata) if !metadata.is_dir() => return Err(Error::OutputIsFile(folder.to_owned())),
        Ok(_) => match read_manifest(folder)? {
            Some(known) => return update(folder, &known, &manifest, &texts),
            None => refuse_foreign_files(folder)?,
        },
        Err(error) if error.kind() == ErrorKind::NotFound => (),
        Err(error) => return Err(Error::io("open", folder)(error)),
    }
    create(folder, &manifest, &texts)?;
    Ok(Built {
        folder: folder.to_owned(),
        created: texts.iter().map(|(path, _)| (*path).to_owned()).collect(),
        updated: Vec::new(),
        deleted: Vec::new(),
        unchanged: 0,
    })
}

fn manifest(spec: &spec::Spec, texts: &[(&str, String)]) -> Manifest {
    let files = texts.par_iter().map(|(path, text)| ((*path).to_owned(), digest(text.as_bytes())));
    Manifest {
        format: 1,
        generator: env!("CARGO_PKG_VERSION").to_owned(),
        spec: spec::digest(spec),
        files: files.collect::<Vec<_>>().into_iter().collect(),
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn manifest_text(manifest: &Manifest) -> Result<String, Error> {
    serde_json::to_string_pretty(manifest)
        .map(|text| text + "\n")
        .map_err(|error| Error::Manifest { path: MANIFEST.into(), reason: error.to_string() })
}

fn read_manifest(folder: &Path) -> Result<Option<Manifest>, Error> {
    let path = folder.join(MANIFEST);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    let manifest = serde_json::from_str(&text)
        .map_err(|error| Error::Manifest { path, reason: error.to_string() })?;
    Ok(Some(manifest))
}

/// A folder is free for a new project when it holds nothing but a spec or a version control folder.
fn refuse_foreign_files(folder: &Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(Error::io("open", folder))? {
        let entry = entry.map_err(Error::io("open", folder))?;
        let name = entry.file_name();
        if name != ".git" && name != "astgen.toml" {
            return Err(Error::ForeignOutput { folder: folder.to_owned(), example: name.into() });
        }
    }
    Ok(())
}

/// Builds the project beside its place and moves it there in one step, where nothing is in the way.
fn create(folder: &Path, manifest: &Manifest, texts: &[(&str, String)]) -> Result<(), Error> {
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let missing = missing_ancestor(parent);
    let result = fs::create_dir_all(parent)
        .map_err(Error::io("create", parent))
        .and_then(|()| create_in(parent, folder, manifest, texts));
    if let (Err(_), Some(missing)) = (&result, missing) {
        // Only folders that this run made, and only while they are empty.
        remove_empty_folders(&missing, parent);
    }
    result
}

fn create_in(
    parent: &Path,
    folder: &Path,
    manifest: &Manifest,
    texts: &[(&str, String)],
) -> Result<(), Error> {
    // Removed with all it holds when this function returns early.
    let staging = tempfile::Builder::new()
        .prefix(".astgen-new-")
        .tempdir_in(parent)
        .map_err(Error::io("create a folder in", parent))?;
    write_all(staging.path(), manifest, texts)?;
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
    fs::rename(staging.path(), folder).map_err(Error::io("create", folder))?;
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

fn write_all(folder: &Path, manifest: &Manifest, texts: &[(&str, String)]) -> Result<(), Error> {
    let mut folders: Vec<PathBuf> = texts
        .iter()
        .filter_map(|(path, _)| folder.join(path).parent().map(Path::to_owned))
        .collect();
    folders.push(folder.join(".astgen"));
    folders.sort();
    folders.dedup();
    for folder in &folders {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    }
    texts.par_iter().try_for_each(|(path, text)| {
        let path = folder.join(path);
        fs::write(&path, text).map_err(Error::io("write", &path))
    })?;
    let path = folder.join(MANIFEST);
    fs::write(&path, manifest_text(manifest)?).map_err(Error::io("write", &path))
}

fn update(
    folder: &Path,
    known: &Manifest,
    manifest: &Manifest,
    texts: &[(&str, String)],
) -> Result<Built, Error> {
    let mut built = Built {
        folder: folder.to_owned(),
        created: Vec::new(),
        updated: Vec::new(),
        deleted: Vec::new(),
        unchanged: 0,
    };
    let mut edited = Vec::new();
    let mut changed = Vec::new();
    for (path, text) in texts {
        let on_disk = digest_on_disk(folder, path)?;
        if on_disk.as_deref() == manifest.files.get(*path).map(String::as_str) {
            built.unchanged += 1;
            continue;
        }
        match (on_disk, known.files.get(*path)) {
            // What a person deleted stays deleted, and counts as an edit where the file would change.
            (None, None) => built.created.push((*path).to_owned()),
            (Some(now), Some(then)) if now == *then => built.updated.push((*path).to_owned()),
            (_, _) => {
                edited.push((*path).to_owned());
                continue;
            }
        }
        changed.push((*path, text.as_str()));
    }
    for (path, then) in &known.files {
        if manifest.files.contains_key(path) {
            continue;
        }
        match digest_on_disk(folder, path)? {
            Some(now) if now == *then => built.deleted.push(path.clone()),
            Some(_) => edited.push(path.clone()),
            None => (),
        }
    }
    if !edited.is_empty() {
        return Err(Error::Edited { paths: edited });
    }
    let text = manifest_text(manifest)?;
    changed.extend((known != manifest).then_some((MANIFEST, text.as_str())));
    replace_all(folder, &changed)?;
    for path in &built.deleted {
        let path = folder.join(path);
        fs::remove_file(&path).map_err(Error::io("remove", &path))?;
    }
    Ok(built)
}

fn digest_on_disk(folder: &Path, path: &str) -> Result<Option<String>, Error> {
    let path = folder.join(path);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(digest(&bytes))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", &path)(error)),
    }
}

/// Writes every text beside its place before the first is put there, each in one step: a full disk changes
/// nothing, and a reader sees an old text or a new one.
fn replace_all(folder: &Path, texts: &[(&str, &str)]) -> Result<(), Error> {
    let paths: Vec<PathBuf> = texts.iter().map(|(path, _)| folder.join(path)).collect();
    let parents = || paths.iter().filter_map(|path| path.parent());
    let missing: Vec<_> =
        parents().filter_map(|parent| Some((missing_ancestor(parent)?, parent))).collect();
    let staged = paths.iter().zip(texts).map(|(path, (_, text))| {
        stage(path, text.as_bytes()).map_err(Error::io("write", path)).map(|file| (path, file))
    });
    match staged.collect::<Result<Vec<_>, Error>>() {
        Ok(staged) => staged.into_iter().try_for_each(|(path, file)| {
            file.persist(path).map_err(|error| Error::io("write", path)(error.error))?;
            Ok(())
        }),
        Err(error) => {
            missing.iter().for_each(|(top, parent)| remove_empty_folders(top, parent));
            Err(error)
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
    io::Write::write_all(&mut file, bytes)?;
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
    let mut file = fs::File::create_new(path).map_err(Error::io("create", path))?;
    io::Write::write_all(&mut file, text.as_bytes()).map_err(Error::io("write", path))
}
