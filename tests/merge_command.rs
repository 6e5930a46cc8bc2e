//! `astgen merge` from outside: by hand, and as git calls it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn astgen(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_astgen"));
    command.current_dir(folder).args(args).env("NO_COLOR", "1").output().expect("astgen runs")
}

/// A folder with the three versions of a file.
fn versions(base: &str, ours: &str, theirs: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in [("base.py", base), ("ours.py", ours), ("theirs.py", theirs)] {
        fs::write(folder.path().join(name), text).expect("writable");
    }
    folder
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const BASE: &str = "def f(a):\n    return a\n";

#[test]
fn a_clean_merge_goes_to_standard_output() {
    let folder = versions(BASE, "def f(a):\n    return a + 1\n", "def f(a, b=0):\n    return a\n");
    let output = astgen(folder.path(), &["merge", "base.py", "ours.py", "theirs.py"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "def f(a, b=0):\n    return a + 1\n");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn a_conflict_is_marked_told_and_ends_with_1() {
    let folder = versions(BASE, "def f(a, x):\n    return a\n", "def f(a, y):\n    return a\n");
    let output =
        astgen(folder.path(), &["merge", "base.py", "ours.py", "theirs.py", "-o", "out.py"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    assert_eq!(text(&output.stderr), "ours.py:1: conflict in `f`: both sides changed this\n");
    let out = fs::read_to_string(folder.path().join("out.py")).expect("the result is there");
    insta::assert_snapshot!(out, @r"
    <<<<<<< ours
    def f(a, x):
    ||||||| base
    def f(a):
    =======
    def f(a, y):
    >>>>>>> theirs
        return a
    ");
}

#[test]
fn conflicts_are_data_with_json() {
    let folder = versions(BASE, "def f(a, x):\n    return a\n", "def f(a, y):\n    return a\n");
    let output = astgen(folder.path(), &["merge", "base.py", "ours.py", "theirs.py", "--json"]);
    let conflicts: serde_json::Value = serde_json::from_slice(&output.stderr).expect("JSON");
    assert_eq!(conflicts[0]["definition"], "f");
    assert_eq!(conflicts[0]["line"], 1);
}

#[test]
fn the_name_says_how_a_file_is_read() {
    let both =
        ("from m import a\n\na()\n", "from m import a, b\n\na()\n", "from m import a, c\n\na()\n");
    let folder = versions(both.0, both.1, both.2);
    let merge = |args: &[&str]| {
        let args = [&["merge", "base.py", "ours.py", "theirs.py"], args].concat();
        astgen(folder.path(), &args).status.code()
    };
    assert_eq!(merge(&[]), Some(0));
    assert_eq!(merge(&["-p", "imports.txt"]), Some(1));
}

#[test]
fn what_cannot_be_merged_ends_with_2_and_writes_nothing() {
    let folder = versions(BASE, "def f(a):\n    return 2\n", "def f(a):\n    return 3\n");
    fs::write(folder.path().join("ours.py"), b"\xff\xfe").expect("writable");
    for (args, what) in [
        (["merge", "base.py", "ours.py", "theirs.py", "-o", "out.py"], "not UTF-8"),
        (["merge", "base.py", "nowhere.py", "theirs.py", "-o", "out.py"], "cannot read nowhere.py"),
    ] {
        let output = astgen(folder.path(), &args);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(what), "{}", text(&output.stderr));
        assert!(!folder.path().join("out.py").exists());
    }
}

/// A repository in which two branches changed `app.py`, and git knows the driver of the README.
struct Repository {
    folder: TempDir,
}

impl Repository {
    fn new() -> Repository {
        let repository = Repository { folder: tempfile::tempdir().expect("a temporary folder") };
        repository.git(&["init", "-q", "-b", "main"]);
        let driver = format!("{} merge %O %A %B -o %A -p %P", env!("CARGO_BIN_EXE_astgen"));
        repository.git(&["config", "merge.astgen.driver", &driver]);
        repository.write(".gitattributes", "*.py merge=astgen\n");
        repository
    }

    fn git(&self, args: &[&str]) -> Output {
        let mut command = Command::new("git");
        command.current_dir(self.folder.path()).args(args);
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "a")
                .env(format!("GIT_{who}_EMAIL"), "a@example.com");
        }
        command.output().expect("git runs")
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.folder.path().join(path), text).expect("writable");
    }

    fn commit(&self, text: &str) {
        self.write("app.py", text);
        self.git(&["add", "."]);
        assert!(self.git(&["commit", "-q", "-m", "change"]).status.success());
    }

    /// Merges a branch with one text into one with another.
    fn merge(&self, base: &str, ours: &str, theirs: &str) -> (bool, String) {
        self.commit(base);
        self.git(&["switch", "-q", "-c", "theirs"]);
        self.commit(theirs);
        self.git(&["switch", "-q", "main"]);
        self.commit(ours);
        let is_clean = self.git(&["merge", "-q", "--no-edit", "theirs"]).status.success();
        (is_clean, fs::read_to_string(self.folder.path().join("app.py")).expect("readable"))
    }
}

#[test]
fn git_merges_with_it() {
    let base = "from m import a\n\n\ndef f():\n    return a\n";
    let ours = "from m import a, b\n\n\ndef f():\n    return a\n\n\ndef g():\n    return b\n";
    let theirs = "from m import a, c\n\n\ndef f():\n    return a\n\n\ndef h():\n    return c\n";
    let (is_clean, text) = Repository::new().merge(base, ours, theirs);
    assert!(is_clean, "{text}");
    insta::assert_snapshot!(text, @r"
    from m import a, b, c


    def f():
        return a


    def g():
        return b


    def h():
        return c
    ");
}

#[test]
fn git_stops_at_a_conflict() {
    let (is_clean, text) = Repository::new().merge("x = 1\n", "x = 2\n", "x = 3\n");
    assert!(!is_clean);
    assert!(
        text.contains("<<<<<<< ours\nx = 2\n||||||| base\nx = 1\n=======\nx = 3\n>>>>>>> theirs\n")
    );
}
