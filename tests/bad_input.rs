//! Whatever is handed in or in the way: a clear error, exit code 2, and nothing half-written.

mod command;

use command::{MINIMAL, astgen, check_refused, folder, text, tree, with_spec};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

#[test]
fn a_missing_spec_is_named() {
    check_refused(folder().path(), &["build"], "there is no spec at astgen.toml");
    check_refused(folder().path(), &["build", "."], "is a folder");
    check_refused(with_spec(MINIMAL).path(), &["build", "astgen.toml/x"], "cannot read");
}

#[test]
fn a_spec_that_is_not_text_is_refused() {
    let folder = folder();
    fs::write(folder.path().join("astgen.toml"), b"[project]\nname = \"\xff\"").expect("writable");
    check_refused(folder.path(), &["build"], "is not UTF-8 text (byte 18)");
}

#[test]
fn every_error_of_a_spec_is_reported_at_once() {
    let folder =
        with_spec("[project]\nnme = \"x\"\n\n[entities.class]\nfields.a = { type = \"txt\" }\n");
    let err = text(&astgen(folder.path(), &["build"]).stderr);
    for part in ["astgen.toml:2:1", "nme", "class", "txt"] {
        assert!(err.contains(part), "{part} is not in\n{err}");
    }
    check_refused(folder.path(), &["build"], "did you mean");
}

#[test]
fn somebody_elses_folder_is_left_alone() {
    let folder = with_spec(MINIMAL);
    fs::create_dir(folder.path().join("theirs")).expect("writable");
    fs::write(folder.path().join("theirs/thesis.txt"), "years of work").expect("writable");
    check_refused(folder.path(), &["build", "--out", "theirs"], "thesis.txt");
    check_refused(folder.path(), &["build", "--out", "theirs/thesis.txt"], "is not a folder");
    check_refused(folder.path(), &["build", "--out", "theirs/thesis.txt/a/b"], "cannot open");
}

/// `/dev/full` refuses every write as a full disk does; `/proc` refuses every new file.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let folder = with_spec(MINIMAL);
    check_refused(folder.path(), &["build", "--out", "/proc/astgen/project"], "cannot create");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let mut schema = Command::new(env!("CARGO_BIN_EXE_astgen"));
    let output = schema.arg("schema").stdout(full).output().expect("astgen runs");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn check_tells_its_own_faults_from_input_that_is_not_python() {
    let folder = folder();
    fs::write(folder.path().join("good.py"), "x = 1\n").expect("writable");
    fs::write(folder.path().join("windows.py"), "\u{feff}if x:\r\n    y = 'é'\r\n")
        .expect("writable");
    fs::write(folder.path().join("latin.py"), b"# coding: latin-1\nx = '\xe9'\n")
        .expect("writable");
    fs::write(folder.path().join("bytes.py"), b"x = '\xe9'\n").expect("writable");
    fs::write(folder.path().join("nul.py"), "x = 1\0\n").expect("writable");
    fs::write(folder.path().join("deep.py"), "(".repeat(100_000)).expect("writable");
    fs::write(folder.path().join("broken.py"), "def f(:\n").expect("writable");
    let output = astgen(folder.path(), &["check", ".", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(0), "{report}");
    let refused = report["refused"].as_array().expect("a list");
    let refused: Vec<_> =
        refused.iter().map(|one| one["path"].as_str().unwrap_or_default()).collect();
    assert_eq!(refused, ["./broken.py", "./bytes.py", "./deep.py", "./nul.py"]);
    assert_eq!(report["files"], 7);
    assert_eq!(report["failures"].as_array().map(Vec::len), Some(0));
    check_refused(folder.path(), &["check", "nowhere"], "cannot open nowhere");
}

/// A device never ends, and a pipe that nobody writes into neither.
#[cfg(unix)]
#[test]
fn what_never_ends_is_not_read_to_its_end() {
    let folder = with_spec(MINIMAL);
    check_refused(folder.path(), &["build", "/dev/zero"], "has more than 8388608 bytes");
    let pipe = folder.path().join("pipe.py");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let huge = fs::File::create(folder.path().join("huge.py")).expect("writable");
    huge.set_len(1 << 30).expect("a file with a hole");
    let output = astgen(folder.path(), &["check", "/dev/zero", "pipe.py", "huge.py", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let messages = report["refused"].as_array().expect("a list").iter();
    let messages: Vec<_> = messages.map(|one| one["message"].as_str().expect("text")).collect();
    let no_file = "not a regular file";
    assert_eq!(messages, [no_file, "larger than 16 MiB", no_file]);
}

#[cfg(unix)]
#[test]
fn a_path_that_is_no_text_is_shown() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder();
    let name = std::ffi::OsStr::from_bytes(b"\xff.py");
    fs::write(folder.path().join(name), "def f(:\n").expect("writable");
    let output = astgen(folder.path(), &["check", ".", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["refused"][0]["path"], "./\u{fffd}.py");
}

#[cfg(unix)]
#[test]
fn links_are_followed_to_folders_only() {
    let folder = with_spec(MINIMAL);
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, folder.path().join(name)).expect("a link");
    };
    link("nowhere", "dangling");
    check_refused(folder.path(), &["build", "--out", "dangling"], "cannot create");
    link("loop", "loop");
    check_refused(folder.path(), &["build", "--out", "loop"], "cannot open");
    fs::create_dir(folder.path().join("elsewhere")).expect("writable");
    link("elsewhere", "link");
    let output = astgen(folder.path(), &["build", "--out", "link"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(folder.path().join("elsewhere/backend/app/main.py").exists());
}

/// Runs a command under a limit of the size of files, in blocks: writing fails in the middle, as on a full disk.
#[cfg(unix)]
fn with_small_files(folder: &Path, args: &[&str]) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\""]);
    shell.arg(env!("CARGO_BIN_EXE_astgen")).args(args).current_dir(folder);
    shell.env("NO_COLOR", "1").output().expect("a shell runs")
}

#[cfg(unix)]
#[test]
fn a_build_that_fails_midway_leaves_nothing_half_written() {
    let folder = with_spec(MINIMAL);
    let check_refused = |args: &[&str]| {
        let before = tree(folder.path());
        let output = with_small_files(folder.path(), args);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{err}");
        assert!(err.contains("cannot write"), "{err}");
        assert_eq!(tree(folder.path()), before);
    };
    check_refused(&["build", "--out", "new/project"]);
    assert!(astgen(folder.path(), &["build", "--out", "a"]).status.success());
    let more = MINIMAL.replace(
        "[entities.note]",
        "[entities.thing.fields]\nx = { type = \"text\" }\n\n[entities.note]",
    );
    fs::write(folder.path().join("astgen.toml"), more).expect("writable");
    check_refused(&["build", "--out", "a"]);
}

/// Runs a command as somebody who is not the superuser, for whom no permission is missing.
#[cfg(unix)]
fn as_anybody(folder: &Path, args: &[&str]) -> Output {
    // Everybody can run it here, wherever the target folder is.
    let program = folder.join("astgen");
    fs::copy(env!("CARGO_BIN_EXE_astgen"), &program).expect("writable");
    let id = Command::new("id").arg("-u").output().expect("id runs");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
    if text(&id.stdout).trim() != "0" {
        command = Command::new(&program);
    }
    command.current_dir(folder).args(args).env("NO_COLOR", "1").output().expect("astgen runs")
}

#[cfg(unix)]
#[test]
fn missing_permissions_are_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = with_spec(MINIMAL);
    let allow = |path: &str, mode: u32| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(folder.path().join(path), permissions).expect("it is ours");
    };
    fs::write(folder.path().join("secret.toml"), MINIMAL).expect("writable");
    fs::write(folder.path().join("secret.py"), "x = 1\n").expect("writable");
    fs::create_dir(folder.path().join("locked")).expect("writable");
    for (path, mode) in [("secret.toml", 0), ("secret.py", 0), ("locked", 0o555), ("", 0o755)] {
        allow(path, mode);
    }
    for (args, what) in [
        (vec!["build", "secret.toml"], "cannot read secret.toml"),
        (vec!["build", "--out", "locked/project"], "cannot create a folder in locked"),
        (vec!["init", "locked"], "cannot create locked/astgen.toml"),
    ] {
        let output = as_anybody(folder.path(), &args);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {err}");
        assert!(err.contains(what) && err.contains("check who may read and write"), "{err}");
    }
    let output = as_anybody(folder.path(), &["check", "secret.py", "--json"]);
    assert!(text(&output.stdout).contains("Permission denied"), "{}", text(&output.stdout));
    assert_eq!(fs::read_dir(folder.path().join("locked")).expect("readable").count(), 0);
}
