//! What can go wrong, with the place and the mend.

use crate::merge::text::NotText;
use miette::Diagnostic;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// An error that ends a command with exit code 2, nothing changed.
#[derive(Debug, Error, Diagnostic)]
pub enum Error {
    /// The spec has errors; each is reported at its place.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Spec(#[from] astgen_emitters::spec::SpecErrors),

    /// The spec is not there.
    #[error("there is no spec at {}", .0.display())]
    #[diagnostic(
        code(astgen::no_spec),
        help("write one with `astgen init`, or name it: `astgen build path/to/astgen.toml`")
    )]
    NoSpec(PathBuf),

    /// A folder was named where a spec is wanted.
    #[error("{} is a folder, not a spec", .0.display())]
    #[diagnostic(code(astgen::folder), help("name the file in it: {}", .0.join("astgen.toml").display()))]
    SpecIsFolder(PathBuf),

    /// The spec is not text.
    #[error("{} is not UTF-8 text (byte {})", path.display(), offset)]
    #[diagnostic(code(astgen::encoding), help("save the spec as UTF-8"))]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The first byte that is not UTF-8, counted from 0.
        offset: usize,
    },

    /// The output path is something other than a folder.
    #[error("{} exists and is not a folder", .0.display())]
    #[diagnostic(code(astgen::output), help("name another folder with `--out`"))]
    OutputIsFile(PathBuf),

    /// The output folder holds files that astgen did not make.
    #[error("{} holds files that astgen did not make, such as {}", folder.display(), example.display())]
    #[diagnostic(
        code(astgen::foreign_output),
        help("nothing was written; name an empty or new folder with `--out`")
    )]
    ForeignOutput {
        /// The output folder.
        folder: PathBuf,
        /// One of the files.
        example: PathBuf,
    },

    /// Generated files were edited.
    #[error(
        "{} of the files that this build would change were edited since they were generated: {}",
        paths.len(),
        paths.join(", ")
    )]
    #[diagnostic(
        code(astgen::edited),
        help(
            "nothing was written; build into another folder with `--out` and take over what you need"
        )
    )]
    Edited {
        /// The edited files, relative to the project.
        paths: Vec<String>,
    },

    /// The project's manifest cannot be read.
    #[error("{} is damaged: {reason}", path.display())]
    #[diagnostic(code(astgen::manifest), help("restore it from version control"))]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// A file that is to be merged is not text.
    #[error("cannot merge {}: {reason}", path.display())]
    #[diagnostic(code(astgen::merge), help("merge it by hand; nothing was written"))]
    NotMergeable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: NotText,
    },

    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    #[diagnostic(code(astgen::io), help("{}", mend(source)))]
    Io {
        /// What was tried: "read", "write", …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: io::Error,
    },
}

impl Error {
    /// Puts the place to an error of the operating system.
    ///
    /// ```
    /// use astgen::Error;
    /// use std::path::Path;
    /// let read = std::fs::read("/nowhere").map_err(Error::io("read", Path::new("/nowhere")));
    /// assert!(read.unwrap_err().to_string().starts_with("cannot read /nowhere: "));
    /// ```
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Io { action, path, source }
    }
}

fn mend(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull => "the disk is full; nothing was left behind",
        io::ErrorKind::PermissionDenied => "check who may read and write there",
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::ReadOnlyFilesystem => {
            "name a folder on a disk that can be written, with `--out`"
        }
        _ => "nothing was left behind",
    }
}
