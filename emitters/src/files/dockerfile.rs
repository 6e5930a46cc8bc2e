//! `Dockerfile` and `.dockerignore`: the image that serves requests and runs jobs.

use super::docker::{Health, Instruction, print};
use crate::spec::Spec;
use crate::{Content, Generated};

/// The Python of the image: the newest that every dependency has wheels for. No spec asks for a newer one.
pub const IMAGE_PYTHON: &str = "3.13";

/// What installs the packages, and is not in the image that serves.
const UV: &str = "uv==0.13.9";
/// Where the installed packages are.
const PACKAGES: &str = "/opt/venv";
/// Who runs the program: a number, so that a platform can tell that it is not root.
const USER: &str = "10001";

/// Where the image keeps files: a folder that the program may write to.
pub const STORAGE_FOLDER: &str = "/srv/files";

/// Where the processes of one server add up what they count.
const METRICS_FOLDER: &str = "/srv/metrics";

/// The files.
#[must_use]
pub fn emit(spec: &Spec) -> [Generated; 2] {
    let file = |path: &str, text| Generated { path: path.to_owned(), content: Content::Text(text) };
    let wanted =
        ["backend/app", "backend/migrations", "backend/pyproject.toml", "backend/requirements.txt"];
    let wanted = wanted.iter().map(|path| format!("!{path}\n"));
    let unwanted = ["**/__pycache__", "**/*.py[co]"].iter().map(|path| format!("{path}\n"));
    let ignored: String = ["*\n".to_owned()].into_iter().chain(wanted).chain(unwanted).collect();
    [file("Dockerfile", print(&image(spec))), file(".dockerignore", ignored)]
}

/// The command that serves requests: where there are metrics, it begins with an empty folder.
#[must_use]
pub fn server_command(spec: &Spec) -> Vec<&'static str> {
    match spec.observability.metrics {
        true => vec!["python", "-m", "app.serve"],
        false => vec!["uvicorn", "--factory", "app.main:create_app"],
    }
}

fn image(spec: &Spec) -> Vec<Instruction> {
    use Instruction::{Blank, Cmd, Copy, Env, Expose, From, Healthcheck, Run, User, Workdir};
    debug_assert!(spec.project.python.as_str() <= IMAGE_PYTHON);
    let base = format!("python:{IMAGE_PYTHON}-slim");
    let install_packages =
        ["uv", "pip", "install", "--require-hashes", "--requirement", "requirements.txt"];
    let mut variables = vec![
        ("PATH", "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONUNBUFFERED", "1"),
        ("DRAIN_SECONDS", "5"),
        ("UVICORN_HOST", "0.0.0.0"),
        ("UVICORN_PORT", "8000"),
        ("UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN", "20"),
    ];
    let has_files = spec.storage.is_on();
    variables.extend(has_files.then_some(("STORAGE_FOLDER", STORAGE_FOLDER)));
    let is_measured = spec.observability.metrics;
    variables.extend(is_measured.then_some(("PROMETHEUS_MULTIPROC_DIR", METRICS_FOLDER)));
    if spec.observability.has_port() {
        variables.extend([("METRICS_HOST", "0.0.0.0"), ("METRICS_PORT", "9464")]);
    }
    if is_measured && spec.jobs.has_workers() {
        variables.push(("WORKER_METRICS_HOST", "0.0.0.0"));
    }
    let folders = [(has_files, STORAGE_FOLDER), (is_measured, METRICS_FOLDER)];
    let folders = folders.into_iter().filter_map(|(needed, folder)| needed.then_some(folder));
    let folders: Vec<&str> = folders.collect();
    let install = ["install", "--directory", "--owner", USER];
    let install = (!folders.is_empty()).then(|| Run([&install[..], &folders].concat()));
    let packages = vec![
        From(base.clone(), Some("packages")),
        Env(vec![
            ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
            ("PIP_NO_CACHE_DIR", "1"),
            ("UV_COMPILE_BYTECODE", "1"),
            ("UV_NO_CACHE", "1"),
            ("UV_PYTHON_DOWNLOADS", "never"),
            ("VIRTUAL_ENV", PACKAGES),
        ]),
        Run(vec!["pip", "install", UV]),
        Workdir("/build"),
        Run(vec!["uv", "venv", PACKAGES]),
        Copy(None, vec!["backend/requirements.txt"], "./"),
        Run(install_packages.into()),
        Blank,
        From(base, None),
        Env(variables),
        Run(vec![
            "useradd",
            "--system",
            "--uid",
            USER,
            "--no-create-home",
            "--shell",
            "/usr/sbin/nologin",
            "app",
        ]),
        Workdir("/srv/backend"),
    ];
    let program = vec![
        Copy(Some("packages"), vec![PACKAGES], PACKAGES),
        Copy(None, vec!["backend/pyproject.toml"], "./"),
        Copy(None, vec!["backend/migrations"], "./migrations"),
        Copy(None, vec!["backend/app"], "./app"),
        User(USER),
        Expose(8000),
        Healthcheck(
            Health { interval: 15, timeout: 5, start: 30 },
            vec!["python", "-m", "app.probe"],
        ),
        Cmd(server_command(spec)),
    ];
    packages.into_iter().chain(install).chain(program).collect()
}
