//! The programs that an emitted project names: one virtual environment serves every test. It is made once for
//! a lock and kept below the target folder.
#![allow(
    dead_code,
    reason = "every test target compiles this module for itself, and uses its part"
)]

#[cfg(feature = "postgresql")]
pub mod postgresql;
pub mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// The folder of the sources.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs a command to its end and shows what it printed when it fails.
#[track_caller]
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} failed ({}):\n{out}\n{err}", output.status);
    out.into_owned()
}

/// A project built from `examples/<name>.toml` in a temporary folder.
pub fn build(name: &str) -> (TempDir, PathBuf) {
    let spec = root().join("examples").join(name).with_extension("toml");
    build_spec(&fs::read_to_string(spec).expect("the example can be read"))
}

/// A project built from a spec in a temporary folder.
pub fn build_spec(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (spec, project) = (folder.path().join("astgen.toml"), folder.path().join("project"));
    fs::write(&spec, text).expect("the spec can be written");
    run(Command::new(env!("CARGO_BIN_EXE_astgen"))
        .arg("build")
        .arg(spec)
        .arg("--out")
        .arg(&project));
    (folder, project.join("backend"))
}

/// The spec of acme with the one choice more that brings packages of its own: its lock has all that there are. Its
/// metrics have a port of their own, too.
pub fn everything() -> String {
    let acme = fs::read_to_string(root().join("examples/acme.toml")).expect("the example");
    acme.replace(
        "[observability]\n",
        "[observability]\ntracing = true\nmetrics_access = \"port\"\n",
    )
}

/// The folder with the programs of the environment that the emitted lock describes.
pub fn programs() -> &'static Path {
    static PROGRAMS: OnceLock<PathBuf> = OnceLock::new();
    PROGRAMS.get_or_init(|| environment(&python()))
}

/// The programs of such an environment of the newest Python at hand.
#[cfg(feature = "newest-python")]
pub fn newest_programs() -> PathBuf {
    let python = std::env::var("ASTGEN_NEWEST_PYTHON");
    environment(&python.expect("ASTGEN_NEWEST_PYTHON names an interpreter"))
}

/// Makes the environment of an interpreter, unless it is there; gives the folder with its programs.
fn environment(python: &str) -> PathBuf {
    let (_folder, backend) = build_spec(&everything());
    let lock = backend.join("requirements-dev.txt");
    let text = fs::read_to_string(&lock).expect("the lock is emitted");
    let digest = astgen_pyast::region_digest(&text);
    let tag = "import sys; print(sys.implementation.cache_tag)";
    let tag = run(Command::new(python).args(["-c", tag]));
    let name = format!("environment-{}-{digest}", tag.trim());
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if !cache.join("complete").exists() {
        let _ = fs::remove_dir_all(&cache);
        run(Command::new(python).args(["-m", "venv"]).arg(&cache));
        run(Command::new(cache.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--require-hashes", "-r"])
            .arg(&lock));
        fs::write(cache.join("complete"), "").expect("the cache can be written");
    }
    cache.join("bin")
}

/// The interpreter to test with: the oldest that the emitted project supports, or newer.
pub fn python() -> String {
    std::env::var("ASTGEN_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// A program of the environment, to be run in the backend's folder and without the caller's settings.
pub fn program(name: &str, backend: &Path) -> Command {
    program_of(programs(), name, backend)
}

/// As [`program`], of another environment.
pub fn program_of(programs: &Path, name: &str, backend: &Path) -> Command {
    let mut command = Command::new(programs.join(name));
    let path = std::env::var("PATH").unwrap_or_default();
    command.current_dir(backend);
    command.env("PATH", format!("{}:{path}", programs.display()));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    for setting in ["DATABASE_URL", "MIGRATION_DATABASE_URL", "TEST_DATABASE_URL", "ENVIRONMENT"] {
        command.env_remove(setting);
    }
    command
}

/// A line of a shell in which the programs of the environment are found.
pub fn in_shell(folder: &Path, line: &str) -> Command {
    let mut command = Command::new("sh");
    let path = std::env::var("PATH").unwrap_or_default();
    command.current_dir(folder).args(["-c", line]);
    command.env("PATH", format!("{}:{path}", programs().display()));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}
