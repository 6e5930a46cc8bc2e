//! What can go wrong, with the place and the mend.

use crate::ProjectPath;
use crate::merge::text::NotText;
use crate::plan::NotAPlan;
use crate::project_path::UnsafePath;
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

    /// A path of a plan, or of a file that is to be generated, may lead out of the project.
    #[error("the path {path:?} is refused: {reason}")]
    #[diagnostic(
        code(astgen::unsafe_path),
        help("nothing was changed; name files inside of the project")
    )]
    UnsafePath {
        /// The path.
        path: String,
        /// What is wrong with it.
        reason: UnsafePath,
    },

    /// The project's state is of a format that this astgen does not know.
    #[error("{} is of format {format}, which this astgen does not know", path.display())]
    #[diagnostic(
        code(astgen::newer_state),
        help("nothing was changed; use the newer astgen that built the project")
    )]
    NewerState {
        /// The manifest.
        path: PathBuf,
        /// The version of its format.
        format: u64,
    },

    /// A journal that a stopped run left cannot be read.
    #[error("{} is damaged: {reason}", path.display())]
    #[diagnostic(
        code(astgen::journal),
        help(
            "a run was stopped here, and cannot be finished; look at the project with version control, then \
             remove the file and the folder `staging` beside it"
        )
    )]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// Files are not what a plan saw.
    #[error("{} of the plan's files changed since it was made:{}", files.len(), listed(files))]
    #[diagnostic(
        code(astgen::stale),
        help("nothing was changed; make a new plan with `astgen build`")
    )]
    Stale {
        /// The files, and what is with each.
        files: Vec<(String, String)>,
    },

    /// A file is named that waits for nobody.
    #[error("{0} is not in conflict")]
    #[diagnostic(
        code(astgen::no_conflict),
        help("`astgen build` shows what is; name a file by its path in the project")
    )]
    NoConflict(ProjectPath),

    /// A conflict cannot be ended yet.
    #[error("{path} {what}")]
    #[diagnostic(
        code(astgen::unfinished),
        help("nothing was changed; edit {path}.new until it is what you want, then try again")
    )]
    Unfinished {
        /// The file.
        path: ProjectPath,
        /// What is with it.
        what: String,
    },

    /// There is no such project.
    #[error("there is no project at {}", .0.display())]
    #[diagnostic(
        code(astgen::no_project),
        help("name a folder, or a project below `production_projects`; `astgen build` makes one")
    )]
    NoProject(PathBuf),

    /// Neither the spec of a project nor what was generated last is known.
    #[error("{} has neither a spec nor the record of what was generated", .0.display())]
    #[diagnostic(
        code(astgen::nothing_to_audit),
        help("name the spec: `astgen audit --spec astgen.toml`")
    )]
    NothingToAudit(PathBuf),

    /// There is no plan.
    #[error("there is no plan at {}", .0.display())]
    #[diagnostic(code(astgen::no_plan), help("make one with `astgen build`"))]
    NoPlan(PathBuf),

    /// The plan cannot be used.
    #[error("{} is no plan: {reason}", path.display())]
    #[diagnostic(
        code(astgen::plan),
        help("nothing was changed; make a new plan with `astgen build`")
    )]
    NotAPlan {
        /// The plan.
        path: PathBuf,
        /// What is wrong with it.
        reason: NotAPlan,
    },

    /// Another run changes the project at the moment.
    #[error("another astgen is at work in {}", .0.display())]
    #[diagnostic(
        code(astgen::locked),
        help("wait until it is done, then try again; nothing was changed")
    )]
    Locked(PathBuf),

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
    #[error("cannot {action} {}: {reason}", path.display())]
    #[diagnostic(code(astgen::io), help("{}", mend(reason)))]
    Io {
        /// What was tried: "read", "write", …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer. It stands in the sentence, so it is no source of its own.
        reason: io::Error,
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
        move |reason| Error::Io { action, path, reason }
    }
}

/// Files with what is with each, the first few of them.
fn listed(files: &[(String, String)]) -> String {
    let shown = files.iter().take(20).map(|(path, what)| format!("\n  {path} {what}"));
    let more = files.len().saturating_sub(20);
    shown.chain((more > 0).then(|| format!("\n  and {more} more"))).collect()
}

impl Error {
    /// Puts the path to the reason why it is refused.
    pub fn unsafe_path(path: &str) -> impl FnOnce(UnsafePath) -> Error + use<> {
        let path = path.chars().take(200).collect();
        move |reason| Error::UnsafePath { path, reason }
    }
}

fn mend(reason: &io::Error) -> &'static str {
    match reason.kind() {
        io::ErrorKind::StorageFull => "the disk is full; nothing was left behind",
        io::ErrorKind::PermissionDenied => "check who may read and write there",
        io::ErrorKind::NotFound => "check the path",
        io::ErrorKind::ReadOnlyFilesystem => {
            "name a folder on a disk that can be written, with `--out`"
        }
        _ => "nothing was left behind",
    }
}
