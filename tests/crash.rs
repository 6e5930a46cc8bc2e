//! `apply-plan --apply` that is killed, runs out of space or may not write: all is done or nothing, and nothing is
//! left lying about.

mod command;

use astgen::disk::Root;
use astgen::journal::{Recovered, recover};
use astgen::state::manifest::Manifest;
use astgen::state::texts::Texts;
use astgen::{Digest, ProjectPath, state};
use command::tree;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What is there, by path.
type Tree = Vec<(PathBuf, Option<Vec<u8>>)>;

/// Runs that are killed.
const RUNS: usize = 500;

/// A file of the project in its versions: generated last, on disk, generated now. Texts are long enough to need
/// several pages of a disk.
struct File {
    path: &'static str,
    base: Option<&'static str>,
    ours: Option<&'static str>,
    theirs: Option<&'static str>,
    kind: &'static str,
}

const FILES: [File; 6] = [
    File {
        path: "a.py",
        base: Some("old"),
        ours: Some("old"),
        theirs: Some("new"),
        kind: "update",
    },
    File {
        path: "b/c.py",
        base: Some("old"),
        ours: Some("mine"),
        theirs: Some("new"),
        kind: "merge",
    },
    File { path: "d/d.py", base: Some("old"), ours: Some("old"), theirs: None, kind: "delete" },
    File { path: "e/f/g.py", base: None, ours: None, theirs: Some("new"), kind: "create" },
    File {
        path: "h.py",
        base: Some("old"),
        ours: Some("mine"),
        theirs: Some("new"),
        kind: "conflict",
    },
    File {
        path: "z.py",
        base: Some("old"),
        ours: Some("old"),
        theirs: Some("new"),
        kind: "update",
    },
];

fn text(path: &str, word: &str) -> String {
    format!("# {path}\n") + &format!("{word} = 1\n").repeat(1500)
}

/// Lays out a small project with its state and a plan of astgen's own.
fn lay_out(folder: &Path) {
    let (mut manifest, mut texts) = (Manifest::empty(), Texts::default());
    let mut actions = Vec::new();
    for file in &FILES {
        let path = ProjectPath::parse(file.path).expect("a good path");
        let text = |word: &str| text(file.path, word);
        let digest = |word: Option<&str>| word.map(|word| Digest::of(text(word).as_bytes()));
        if let Some(base) = file.base {
            let digest = texts.insert(&path, &text(base));
            manifest.files.insert(path, digest);
        }
        if let Some(ours) = file.ours {
            write(&folder.join(file.path), &text(ours));
        }
        let merged = matches!(file.kind, "merge" | "conflict").then_some("merged");
        let content = merged.or(file.theirs).map(text);
        let generated = merged.and(file.theirs).map(text);
        let field = if file.kind == "conflict" { "new_content" } else { "content" };
        let mut action = serde_json::json!({"type": file.kind, "path": file.path});
        let values = [
            ("base", digest(file.base).map(|it| it.to_string())),
            ("ours", digest(file.ours).map(|it| it.to_string())),
            ("theirs", digest(file.theirs).map(|it| it.to_string())),
            (field, content),
            ("generated", generated),
        ];
        for (name, value) in values {
            if let Some(value) = value {
                action[name] = value.into();
            }
        }
        actions.push(action);
    }
    let generator = astgen_emitters::GENERATOR;
    let plan = serde_json::json!({"version": 1, "generator": generator, "actions": actions});
    write(&folder.join("plan.json"), &plan.to_string());
    for (path, pieces) in state::files(&manifest, &texts) {
        write(&folder.join(path), &pieces.concat());
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
    fs::write(path, text).expect("writable");
}

fn project() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    lay_out(folder.path());
    folder
}

fn apply(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_astgen"));
    command.args(["apply-plan", "--apply"]).arg(folder).env("NO_COLOR", "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// The project before and after.
fn old_and_new() -> (Tree, Tree) {
    let folder = project();
    let old = tree(folder.path());
    applied(folder.path());
    let new = tree(folder.path());
    for path in ["a.py", "d", "e/f/g.py", "h.py.new", ".astgen/manifest.json"] {
        let at = |tree: &Tree| tree.iter().find(|(it, _)| it == Path::new(path)).cloned();
        assert_ne!(at(&old), at(&new), "{path} is to change");
    }
    (old, new)
}

/// Applies the plan to its end.
#[track_caller]
fn applied(folder: &Path) {
    let output = apply(folder).output().expect("astgen runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "one conflict is left: {said}");
}

/// What differs, in words.
fn differences(found: &Tree, wanted: &Tree) -> Vec<String> {
    let [found, wanted] =
        [found, wanted].map(|tree| tree.iter().cloned().collect::<BTreeMap<_, _>>());
    let paths = found.keys().chain(wanted.keys());
    let mut paths: Vec<String> = paths
        .filter(|path| found.get(*path) != wanted.get(*path))
        .map(|path| path.display().to_string())
        .collect();
    paths.dedup();
    paths
}

#[track_caller]
fn check_same(folder: &Path, wanted: &Tree, when: &str) {
    let differences = differences(&tree(folder), wanted);
    assert_eq!(differences, [""; 0], "{when}");
}

/// How a run is stopped.
#[derive(Debug, Clone, Copy)]
enum Stop {
    /// At a moment between two changes of the disk.
    At(usize),
    /// After a while.
    After(Duration),
}

/// Runs `apply-plan --apply` and kills it; whether it was still there to be killed.
fn killed(folder: &Path, stop: Stop) -> bool {
    let status = match stop {
        Stop::At(moment) => {
            let mut command = apply(folder);
            command.env("ASTGEN_STOP_AT", moment.to_string());
            command.output().expect("astgen runs").status
        }
        Stop::After(time) => {
            let mut child = apply(folder).spawn().expect("astgen runs");
            std::thread::sleep(time);
            // One that has ended cannot be killed.
            let _ = child.kill();
            child.wait().expect("it is our child")
        }
    };
    status.signal() == Some(9)
}

/// A run is killed, and so may be the next; after that all is old or all is new, and in the end all is new.
fn check_killed(stops: &[Stop], is_looked_at: bool, old: &Tree, new: &Tree) -> bool {
    let folder = project();
    let mut was_killed = false;
    for stop in stops {
        was_killed |= killed(folder.path(), *stop);
    }
    let when = format!("killed: {stops:?}");
    if is_looked_at {
        let root = Root::open(folder.path()).expect("a folder");
        let recovered = recover(&root).unwrap_or_else(|error| panic!("{when}: {error}"));
        let found = tree(folder.path());
        let (from_old, from_new) = (differences(&found, old), differences(&found, new));
        assert!(from_old.is_empty() || from_new.is_empty(), "{when}: {from_old:?}, {from_new:?}");
        assert_ne!(recovered, Recovered::Undone, "{when}: nobody changed a file in between");
    }
    applied(folder.path());
    check_same(folder.path(), new, &when);
    was_killed
}

/// How many moments a run has.
fn moments() -> usize {
    let is_killed = |moment: usize| killed(project().path(), Stop::At(moment));
    let mut moments = 32;
    while is_killed(moments) {
        moments += 1;
    }
    moments
}

/// Numbers that look random and are the same every time.
fn scattered(seed: usize) -> usize {
    let mut number = (seed as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    number ^= number >> 31;
    number = number.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    usize::try_from(number >> 33).expect("31 bits")
}

#[test]
fn a_run_that_is_killed_is_finished_or_never_was() {
    let (old, new) = old_and_new();
    let moments = moments();
    let start = Instant::now();
    applied(project().path());
    let time = start.elapsed();
    assert!(3 * moments < RUNS, "{moments} moments are too many for {RUNS} runs");
    let stops: Vec<Vec<Stop>> = (0..RUNS)
        .map(|run| match run / moments {
            0 => vec![Stop::At(run)],
            // What ends it is killed too.
            1 => vec![Stop::At(run - moments), Stop::At(scattered(run) % moments)],
            _ => vec![Stop::After(time.mul_f64((scattered(run) % 1000) as f64 / 1000.0))],
        })
        .collect();
    let (at_moments, at_times) = (AtomicUsize::new(0), AtomicUsize::new(0));
    stops.par_iter().enumerate().for_each(|(run, stops)| {
        if check_killed(stops, run % 2 == 0, &old, &new) {
            let by_time = matches!(stops[..], [Stop::After(_)]);
            let count = if by_time { &at_times } else { &at_moments };
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    assert_eq!(at_moments.into_inner(), 2 * moments, "each was killed");
    assert!(at_times.into_inner() > (RUNS - 2 * moments) / 4, "too few were killed in time");
}

/// A file system of its own, as small as wanted.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` where the system does not let us mount one.
    fn mount(size: &str) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder.path());
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        is_mounted.then(|| SmallDisk(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}

/// A run that is refused says so and changes nothing.
#[track_caller]
fn check_refused(output: &Output, folder: &Path, old: &Tree, what: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    // A diagnostic is wrapped to the width of a terminal.
    let words: Vec<&str> = said.split_whitespace().filter(|word| *word != "│").collect();
    assert!(words.join(" ").contains(what), "{said}");
    check_same(folder, old, &said);
}

/// At every page of free space in turn the run is done, or nothing has happened.
#[test]
fn a_full_disk_changes_nothing() {
    let (old, new) = old_and_new();
    let Some(disk) = SmallDisk::mount("1m") else { return check_small_files(&old) };
    let folder = disk.0.path().join("project");
    let (mut refused, mut done) = (0, 0);
    for pages in 0..64 {
        let _ = fs::remove_dir_all(&folder);
        lay_out(&folder);
        let ballast = disk.0.path().join("ballast");
        fill(&ballast, pages * 4096);
        let output = apply(&folder).output().expect("astgen runs");
        if output.status.code() == Some(1) {
            check_same(&folder, &new, "there was space");
            done += 1;
        } else {
            check_refused(&output, &folder, &old, "No space left on device");
            refused += 1;
            fs::remove_file(&ballast).expect("it is there");
            applied(&folder);
            check_same(&folder, &new, "there is space again");
        }
        let _ = fs::remove_file(&ballast);
    }
    assert!(refused > 10 && done > 10, "{refused} refused, {done} done");
}

/// Writes until only so many bytes are free.
fn fill(ballast: &Path, free: usize) {
    let mut size = 1 << 20;
    while fs::write(ballast, vec![0; size]).is_err() {
        size -= 4096;
    }
    fs::write(ballast, vec![0; size.saturating_sub(free)]).expect("less fits too");
}

/// Without a disk of its own: files cannot grow beyond a size.
fn check_small_files(old: &Tree) {
    for blocks in 0..16 {
        let folder = project();
        let mut shell = Command::new("sh");
        let limited =
            format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" apply-plan --apply \"$1\"");
        shell.args(["-c", &limited, env!("CARGO_BIN_EXE_astgen")]).arg(folder.path());
        let output = shell.output().expect("a shell");
        check_refused(&output, folder.path(), old, "File too large");
    }
}

#[test]
fn a_file_that_may_not_grow_changes_nothing() {
    check_small_files(&old_and_new().0);
}

/// Somebody who may not write everywhere: root may, so it becomes nobody.
fn apply_as_nobody(folder: &Path, astgen: &Path) -> Output {
    let is_root =
        fs::metadata("/proc/self").is_ok_and(|it| std::os::unix::fs::MetadataExt::uid(&it) == 0);
    let mut command = if is_root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(astgen);
        command
    } else {
        Command::new(astgen)
    };
    command.args(["apply-plan", "--apply"]).arg(folder).env("NO_COLOR", "1");
    command.output().expect("astgen runs")
}

#[test]
fn a_folder_that_may_not_be_written_changes_nothing() {
    let (old, new) = old_and_new();
    let mode = |folder: &Path, mode: u32| {
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    let place = tempfile::tempdir().expect("a temporary folder");
    mode(place.path(), 0o755);
    let astgen = place.path().join("astgen");
    fs::copy(env!("CARGO_BIN_EXE_astgen"), &astgen).expect("writable");
    for closed in ["", "b", "d", ".astgen"] {
        let folder = place.path().join("project");
        lay_out(&folder);
        for entry in walkdir::WalkDir::new(&folder) {
            // Only root can give files away, and only root has to.
            let entry = entry.expect("readable");
            let _ = std::os::unix::fs::chown(entry.path(), Some(65534), Some(65534));
        }
        mode(&folder.join(closed), 0o555);
        let output = apply_as_nobody(&folder, &astgen);
        check_refused(&output, &folder, &old, "Permission denied");
        mode(&folder.join(closed), 0o755);
        let output = apply_as_nobody(&folder, &astgen);
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        check_same(&folder, &new, "it may be written again");
        fs::remove_dir_all(&folder).expect("it is ours");
    }
}
