//! A path inside of a project, as plans and manifests name it: never one that leads out.

use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::path::Path;

/// The longest path and the longest name that file systems of today take.
const LONGEST_PATH: usize = 4096;
const LONGEST_NAME: usize = 255;

/// A file's path, relative to the project's folder, with `/` between its names.
///
/// ```
/// use astgen::ProjectPath;
/// assert!(ProjectPath::parse("backend/app/main.py").is_ok());
/// assert!(ProjectPath::parse("../main.py").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectPath(String);

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnsafePath {
    /// It has no name, or an empty one between two `/`.
    #[error("it has an empty name in it")]
    Empty,
    /// It begins at the root of a file system.
    #[error("it is absolute")]
    Absolute,
    /// `.` or `..`
    #[error("it has `.` or `..` in it")]
    Dots,
    /// Version control's own files.
    #[error("it leads into `.git`")]
    Git,
    /// astgen's own files.
    #[error("it leads into `.astgen`")]
    State,
    /// A character that means something else to some file system, or that nobody sees.
    #[error("it has the character {0:?} in it")]
    Character(char),
    /// A name that some file systems shorten to another one.
    #[error("a name in it ends with a space or a dot")]
    Ending,
    /// A name that no file system takes.
    #[error("it is too long")]
    TooLong,
}

impl ProjectPath {
    /// Checks a path.
    ///
    /// # Errors
    /// When a file of this path might lie outside of the project, in `.git` or in `.astgen`, on this machine
    /// or on another one that checks the project out.
    pub fn parse(path: impl Into<String>) -> Result<ProjectPath, UnsafePath> {
        let path = path.into();
        if path.starts_with('/') {
            return Err(UnsafePath::Absolute);
        }
        if path.len() > LONGEST_PATH {
            return Err(UnsafePath::TooLong);
        }
        if let Some(char) = path.chars().find(|char| is_refused(*char)) {
            return Err(UnsafePath::Character(char));
        }
        path.split('/').try_for_each(check_name)?;
        Ok(ProjectPath(path))
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path with something behind its last name.
    ///
    /// # Errors
    /// When it is too long then.
    pub fn with_suffix(&self, suffix: &str) -> Result<ProjectPath, UnsafePath> {
        ProjectPath::parse(format!("{}{suffix}", self.0))
    }

    /// What no other path may share: file systems of macOS and Windows take names that differ in case for one.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

fn check_name(name: &str) -> Result<(), UnsafePath> {
    match name {
        "" => return Err(UnsafePath::Empty),
        "." | ".." => return Err(UnsafePath::Dots),
        _ => (),
    }
    let lower = name.to_ascii_lowercase();
    // `git~1` is the short name of `.git` on Windows; Git itself refuses it (CVE-2014-9390).
    if lower == ".git" || lower == "git~1" {
        return Err(UnsafePath::Git);
    }
    if lower == ".astgen" || lower == "astgen~1" {
        return Err(UnsafePath::State);
    }
    if name.ends_with([' ', '.']) {
        return Err(UnsafePath::Ending);
    }
    if name.len() > LONGEST_NAME {
        return Err(UnsafePath::TooLong);
    }
    Ok(())
}

/// `\` and `:` split names on Windows; macOS ignores characters that nobody sees when it compares names.
fn is_refused(char: char) -> bool {
    char.is_control()
        || matches!(char, '\\' | ':')
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(char, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

impl TryFrom<String> for ProjectPath {
    type Error = String;

    fn try_from(path: String) -> Result<ProjectPath, String> {
        let shown: String = path.chars().take(200).collect();
        ProjectPath::parse(path)
            .map_err(|reason| format!("the path {shown:?} is refused: {reason}"))
    }
}

impl From<ProjectPath> for String {
    fn from(path: ProjectPath) -> String {
        path.0
    }
}

impl fmt::Display for ProjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<Path> for ProjectPath {
    fn as_ref(&self) -> &Path {
        self.0.as_ref()
    }
}

impl Borrow<str> for ProjectPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{ProjectPath, UnsafePath};

    #[track_caller]
    fn check(path: &str, expected: Result<(), UnsafePath>) {
        assert_eq!(ProjectPath::parse(path).map(|_| ()), expected, "{path:?}");
    }

    #[test]
    fn what_a_path_may_be() {
        for path in
            ["a.py", "backend/.env.example", "a/..b", "a b/ünï.py", ".github/x", ".gitignore"]
        {
            check(path, Ok(()));
        }
    }

    #[test]
    fn what_a_path_may_not_be() {
        use UnsafePath::*;
        check("", Err(Empty));
        check("a//b", Err(Empty));
        check("a/", Err(Empty));
        check("/etc/passwd", Err(Absolute));
        check("C:/x", Err(Character(':')));
        check("a\\..\\b", Err(Character('\\')));
        check("a\0b", Err(Character('\0')));
        check("a\nb", Err(Character('\n')));
        check("../a", Err(Dots));
        check("a/../../b", Err(Dots));
        check("./a", Err(Dots));
        check(".git/hooks/pre-commit", Err(Git));
        check("sub/.GIT/config", Err(Git));
        check("GIT~1/config", Err(Git));
        check(".g\u{200c}it/config", Err(Character('\u{200c}')));
        check(".git./config", Err(Ending));
        check(".astgen/manifest.json", Err(State));
        check(&"a".repeat(256), Err(TooLong));
        check(&"a/".repeat(3000), Err(TooLong));
    }
}
