//! An existing project on disk, through one handle of its folder: no path leads out of it, whatever symbolic
//! links stand there or are put there in between.

mod moment;

use crate::Error;
use cap_std::fs::{Dir, OpenOptions};
use moment::moment;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// astgen's own folder in a project.
pub const STATE: &str = ".astgen";

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// Nothing.
    Missing,
    /// A file, with its bytes.
    File(Vec<u8>),
    /// Something that astgen neither reads nor replaces, in words.
    Other(&'static str),
}

impl Entry {
    /// The bytes of a file.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Entry::File(bytes) => Some(bytes),
            Entry::Missing | Entry::Other(_) => None,
        }
    }
}

/// A project's folder.
#[derive(Debug)]
pub struct Root {
    folder: Dir,
    handle: File,
    path: PathBuf,
}

/// While it lives, no other run changes the project. The operating system ends it with the process.
#[derive(Debug)]
pub struct Lock<'a>(&'a File);

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        // The end of the process would do it too.
        let _ = self.0.unlock();
    }
}

impl Root {
    /// Opens a project's folder.
    ///
    /// # Errors
    /// When it is not there, or the operating system refuses.
    pub fn open(path: &Path) -> Result<Root, Error> {
        let handle = File::open(path).map_err(Error::io("open", path))?;
        let folder = handle.try_clone().map_err(Error::io("open", path))?;
        Ok(Root { folder: Dir::from_std_file(folder), handle, path: path.to_owned() })
    }

    /// The folder's path, as it was named.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps other runs away from the project.
    ///
    /// # Errors
    /// When another one is at work.
    pub fn lock(&self) -> Result<Lock<'_>, Error> {
        match self.handle.try_lock() {
            Ok(()) => Ok(Lock(&self.handle)),
            Err(std::fs::TryLockError::WouldBlock) => Err(Error::Locked(self.path.clone())),
            Err(std::fs::TryLockError::Error(error)) => Err(Error::io("lock", &self.path)(error)),
        }
    }

    /// What stands at `path`.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Entry, Error> {
        let path = path.as_ref();
        self.entry(path).or_else(|error| match error.kind() {
            ErrorKind::NotFound => Ok(Entry::Missing),
            ErrorKind::NotADirectory => Ok(Entry::Other("is below something that is not a folder")),
            _ if is_escape(&error) => {
                Ok(Entry::Other("is behind a link that leads out of the project"))
            }
            _ => Err(self.refused("read", path)(error)),
        })
    }

    fn entry(&self, path: &Path) -> io::Result<Entry> {
        let kind = self.folder.symlink_metadata(path)?.file_type();
        if kind.is_symlink() {
            return Ok(Entry::Other("is a symbolic link"));
        }
        if kind.is_dir() {
            return Ok(Entry::Other("is a folder"));
        }
        if !kind.is_file() {
            return Ok(Entry::Other("is not a regular file"));
        }
        let mut bytes = Vec::new();
        self.folder.open(path)?.read_to_end(&mut bytes)?;
        Ok(Entry::File(bytes))
    }

    /// The names in a folder that can be read, in order: whether each is a folder, and the size of a file.
    #[must_use]
    pub fn list(&self, folder: &Path) -> BTreeMap<String, Listed> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let entries = self.folder.read_dir(folder).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let kind = entry.file_type().ok()?;
                let listed = match (kind.is_dir(), kind.is_file()) {
                    (true, _) => Listed::Folder,
                    (_, true) => Listed::File { size: entry.metadata().ok()?.len() },
                    _ => return None,
                };
                Some((name, listed))
            })
            .collect()
    }

    /// Puts a file in place in one step, where its bytes are other ones.
    ///
    /// # Errors
    /// When the operating system refuses; the file is then as it was.
    pub fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        if self.read(path)?.bytes() == Some(bytes) {
            return Ok(());
        }
        let staged = format!("{path}.astgen-new");
        let written =
            self.write(&staged, bytes, Some(path)).and_then(|()| self.rename(&staged, path));
        if written.is_err() {
            let _ = self.folder.remove_file(&staged);
        }
        written
    }

    /// Writes a file and waits until it is on the disk. It gets the permissions of the file `like`.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn write(&self, path: &str, bytes: &[u8], like: Option<&str>) -> Result<(), Error> {
        self.write_file(path, bytes, like).map_err(self.refused("write", path.as_ref()))
    }

    fn write_file(&self, path: &str, bytes: &[u8], like: Option<&str>) -> io::Result<()> {
        moment();
        // Whatever stands there, a link too, is not written through.
        let _ = self.folder.remove_file(path);
        moment();
        let mut options = OpenOptions::new();
        let mut file = self.folder.open_with(path, options.write(true).create_new(true))?;
        if let Some(like) = like.and_then(|like| self.folder.symlink_metadata(like).ok())
            && like.is_file()
        {
            file.set_permissions(like.permissions())?;
            keep_owner(&file, &like);
        }
        moment();
        file.write_all(bytes)?;
        moment();
        file.sync_all()
    }

    /// Makes a folder and those above it. Those that are there already are left as they are.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn create_folder(&self, path: &Path) -> Result<(), Error> {
        if path.as_os_str().is_empty() {
            return Ok(());
        }
        moment();
        self.folder.create_dir_all(path).map_err(self.refused("create", path))
    }

    /// Whether anything stands at `path`.
    #[must_use]
    pub fn exists(&self, path: &Path) -> bool {
        path.as_os_str().is_empty() || self.folder.symlink_metadata(path).is_ok()
    }

    /// Moves a file over another one.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), Error> {
        moment();
        match self.folder.rename(from, &self.folder, to) {
            Err(error) if error.kind() == ErrorKind::CrossesDevices => self.carry(from, to),
            result => result.map_err(self.refused("write", to.as_ref())),
        }
    }

    /// Moves a file to another file system: a folder of a project can be a mount of its own.
    fn carry(&self, from: &str, to: &str) -> Result<(), Error> {
        let beside = format!("{to}.astgen-new");
        let Entry::File(bytes) = self.read(from)? else {
            return Err(self.refused("read", from.as_ref())(ErrorKind::NotFound.into()));
        };
        let carried = self.write(&beside, &bytes, Some(from)).and_then(|()| {
            let moved = self.folder.rename(&beside, &self.folder, to);
            moved.map_err(self.refused("write", to.as_ref()))
        });
        if carried.is_err() {
            let _ = self.folder.remove_file(&beside);
        }
        carried?;
        self.remove(from)
    }

    /// A second name for a file, or a copy of it where the file system knows no such thing.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn link(&self, from: &str, to: &str) -> Result<(), Error> {
        moment();
        let _ = self.folder.remove_file(to);
        if self.folder.hard_link(from, &self.folder, to).is_ok() {
            return Ok(());
        }
        match self.read(from)? {
            Entry::File(bytes) => self.write(to, &bytes, Some(from)),
            Entry::Missing | Entry::Other(_) => Ok(()),
        }
    }

    /// Removes a file; one that is not there is removed already.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn remove(&self, path: &str) -> Result<(), Error> {
        moment();
        match self.folder.remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(self.refused("remove", path.as_ref())(error))
            }
            _ => Ok(()),
        }
    }

    /// Removes the folder and those above it, as long as they are empty.
    pub fn remove_empty_folders(&self, folder: &Path) {
        let mut folders = folder.ancestors().take_while(|folder| !folder.as_os_str().is_empty());
        while folders.next().is_some_and(|folder| self.remove_empty_folder(folder)) {}
    }

    /// Removes a folder that is empty, and says whether it did.
    pub fn remove_empty_folder(&self, folder: &Path) -> bool {
        moment();
        self.folder.remove_dir(folder).is_ok()
    }

    /// Removes a folder of astgen's own with all that is in it.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn remove_all(&self, folder: &str) -> Result<(), Error> {
        moment();
        match self.folder.remove_dir_all(folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(self.refused("remove", folder.as_ref())(error))
            }
            _ => Ok(()),
        }
    }

    /// Waits until the names in a folder are on the disk.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn sync_folder(&self, folder: &str) -> Result<(), Error> {
        let synced = self.folder.open(folder).and_then(|folder| folder.sync_all());
        match synced {
            // Some file systems cannot do it for folders.
            Err(error) if error.kind() != ErrorKind::InvalidInput => {
                Err(self.refused("write", folder.as_ref())(error))
            }
            _ => Ok(()),
        }
    }

    fn refused(
        &self,
        action: &'static str,
        path: &Path,
    ) -> impl FnOnce(io::Error) -> Error + use<> {
        let path = self.path.join(path);
        move |reason| Error::Io { action, path, reason }
    }
}

/// What a name in a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// A folder.
    Folder,
    /// A file.
    File {
        /// Its size in bytes.
        size: u64,
    },
}

/// cap-std refuses a path that leads out with an error of its own, not of the operating system.
fn is_escape(error: &io::Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

/// A run as root shall not take people's files away from them.
#[cfg(unix)]
fn keep_owner(file: &cap_std::fs::File, like: &cap_std::fs::Metadata) {
    use cap_std::fs::MetadataExt;
    let is_same = |own: &cap_std::fs::Metadata| own.uid() == like.uid() && own.gid() == like.gid();
    if !file.metadata().is_ok_and(|own| is_same(&own)) {
        // Only root may; for everybody else the new file is theirs, as with any editor.
        let _ = std::os::unix::fs::fchown(file, Some(like.uid()), Some(like.gid()));
    }
}

#[cfg(not(unix))]
fn keep_owner(_file: &cap_std::fs::File, _like: &cap_std::fs::Metadata) {}
