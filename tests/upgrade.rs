//! The upgrade story: a project that an earlier astgen generated and people edited (see `tests/upgrade/README.md`)
//! is regenerated from a changed spec. Every edit stands, every guard stands, and what comes out runs.

mod environment;

use astgen::audit::{Report, audit};
use astgen::disk::Root;
use astgen::state::{self, State};
use environment::server::serve;
use environment::{in_shell, program, root, run};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The one file in which people and the spec want different things.
const CLASH: &str = "backend/app/models/client.py";

/// Edited, and no longer generated since one suite tests all entities: it is theirs alone now.
const KEPT: &str = "backend/tests/test_notes.py";
/// Where people moved a file, and from where.
const MOVED: (&str, &str) =
    ("backend/app/services/report_service.py", "backend/app/reporting/service.py");

/// Lines of people in which the generator had something to change too, and what became of them.
const CHANGED_BY_BOTH: [(&str, &str, &str); 3] = [
    (
        "backend/app/models/invoice.py",
        "from sqlalchemy import ForeignKeyConstraint, Index, String, Text",
        "from sqlalchemy import ForeignKeyConstraint, Index, String, Text, UniqueConstraint",
    ),
    (
        "backend/tests/test_plans.py",
        "    assert larger_plans(Limit.CLIENTS, 3) == [\"team\"]",
        "    assert larger_plans(Limit.CLIENTS, 3) == [\"team\", \"business\"]",
    ),
    // The generator moved the statement, which says the same: only their quotation marks are not its own.
    (
        "backend/app/services/invoice_service.py",
        "        if 'client_id' in payload.model_fields_set:",
        "        if \"client_id\" in payload.model_fields_set:",
    ),
];

fn data(path: &str) -> PathBuf {
    root().join("tests/upgrade").join(path)
}

/// The files below a folder with their bytes, by their paths in it; without what runs leave.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.expect("readable"));
    let files = entries.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).expect("below the folder");
            (path.to_string_lossy().into_owned(), fs::read(entry.path()).expect("readable"))
        })
        .collect()
}

/// The project, laid out in a temporary folder.
struct Project {
    folder: TempDir,
    /// What was generated last, by where it is generated.
    generated: BTreeMap<String, String>,
    /// What people have.
    before: BTreeMap<String, Vec<u8>>,
}

impl Project {
    fn new() -> Project {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let place = folder.path().join("ledger");
        let own = files(&data("project"));
        for (path, bytes) in &own {
            write(&place.join(path), bytes);
        }
        let generated = generated_last(&place);
        let removed = fs::read_to_string(data("removed")).expect("readable");
        let removed: Vec<&str> = removed.lines().collect();
        for (path, text) in &generated {
            if !own.contains_key(path) && !removed.contains(&path.as_str()) {
                write(&place.join(path), text.as_bytes());
            }
        }
        fs::copy(data("after.toml"), place.join("astgen.toml")).expect("writable");
        let before = files(&place);
        Project { folder, generated, before }
    }

    fn place(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    fn backend(&self) -> PathBuf {
        self.place().join("backend")
    }

    fn astgen(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_astgen"));
        let command = command.current_dir(self.folder.path()).args(args).env("NO_COLOR", "1");
        command.output().expect("astgen runs")
    }

    /// Runs astgen and expects an exit code.
    #[track_caller]
    fn check(&self, args: &[&str], code: i32) -> String {
        let output = self.astgen(args);
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {err}");
        err
    }

    fn regenerate(&self, code: i32) -> String {
        self.check(&["build", "ledger/astgen.toml", "--out", "ledger", "--apply"], code)
    }

    /// Ends the clash as its people would: their length, and the new column.
    fn resolve(&self) {
        let new = self.place().join(format!("{CLASH}.new"));
        let marked = fs::read_to_string(&new).expect("the file in conflict has its `.new`");
        write(&new, without_markers(&marked).as_bytes());
        self.check(&["apply-plan", "ledger", "--resolve", CLASH], 1);
        self.check(&["apply-plan", "ledger", "--resolve", KEPT, "--ours"], 0);
    }

    fn audit(&self) -> Report {
        let spec = fs::read_to_string(data("after.toml")).expect("readable");
        let spec = astgen_emitters::spec::read(&spec, "after.toml").expect("a good spec");
        let wanted = astgen_emitters::generate(&spec);
        let wanted = wanted.into_iter().filter_map(|file| {
            let path = file.path.strip_prefix("backend/")?.to_owned();
            is_application(&path).then(|| (path, file.text()))
        });
        let found = files(&self.backend()).into_iter().filter(|(path, _)| is_application(path));
        let found = found.map(|(path, bytes)| (path, String::from_utf8(bytes).expect("text")));
        audit(&wanted.collect::<Vec<_>>(), &found.collect::<Vec<_>>())
    }
}

fn is_application(path: &str) -> bool {
    path.starts_with("app/") && path.ends_with(".py")
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
    fs::write(path, bytes).expect("writable");
}

/// What the state says was generated last.
fn generated_last(place: &Path) -> BTreeMap<String, String> {
    let root = Root::open(place).expect("a folder");
    let state = State::read(&root).expect("readable").expect("the project has a state");
    assert_eq!(state.notes, [""; 0], "the state of an earlier astgen is read as it is");
    let texts = state::read_texts(&root).expect("readable");
    let files = state.manifest.files.iter();
    files
        .map(|(path, digest)| {
            let text = texts.get(digest).unwrap_or_else(|| panic!("the text of {path} is lost"));
            (path.to_string(), text.to_owned())
        })
        .collect()
}

/// Of each clash, the first line of ours and all lines of theirs but the first.
fn without_markers(marked: &str) -> String {
    let (mut text, mut part) = (String::new(), "");
    let mut theirs = 0;
    for line in marked.split_inclusive('\n') {
        if let Some(marker @ ("<<<<<<<" | "|||||||" | "=======" | ">>>>>>>")) = line.get(..7) {
            (part, theirs) = (marker, 0);
            continue;
        }
        theirs += usize::from(part == "=======");
        if matches!(part, "" | "<<<<<<<" | ">>>>>>>") || theirs > 1 {
            text.push_str(line);
        }
    }
    text
}

/// The lines of a text, with how often each is there.
fn lines(text: &str) -> HashMap<&str, usize> {
    let mut lines = HashMap::new();
    text.lines().for_each(|line| *lines.entry(line.trim_end()).or_default() += 1);
    lines
}

/// The lines that people wrote into a generated file, or the whole of a file of their own.
fn written<'a>(base: Option<&str>, ours: &'a str) -> Vec<&'a str> {
    let base = base.map(lines).unwrap_or_default();
    let ours = lines(ours).into_iter();
    let mut written: Vec<&str> = ours
        .filter(|(line, times)| !line.is_empty() && base.get(line).is_none_or(|it| it < times))
        .map(|(line, _)| line)
        .collect();
    written.sort_unstable();
    written
}

#[test]
fn every_edit_stands() {
    let project = Project::new();
    let said = project.regenerate(1);
    let conflicts = fs::read_to_string(project.place().join("conflicts.json")).expect("readable");
    let conflicts: serde_json::Value = serde_json::from_str(&conflicts).expect("JSON");
    let conflicts = conflicts["conflicts"].as_array().expect("a list");
    let paths: Vec<&str> = conflicts.iter().filter_map(|it| it["path"].as_str()).collect();
    assert_eq!(paths, [CLASH, KEPT], "{said}");
    assert!(said.contains("it is no longer generated, and you have edited it"), "{said}");
    assert_eq!(conflicts[0]["clashes"][0]["definition"], "Client.name");
    project.resolve();

    let after = files(&project.place());
    let mut lost = Vec::new();
    for (path, bytes) in files(&data("project")) {
        if path.starts_with(".astgen/") {
            continue;
        }
        let origin = if path == MOVED.1 { MOVED.0 } else { &path };
        let base = project.generated.get(origin).map(String::as_str);
        let (ours, now) = (String::from_utf8(bytes).expect("text"), &after[&path]);
        let now = String::from_utf8(now.clone()).expect("text");
        let now = lines(&now);
        let written = written(base, &ours).into_iter();
        let became = |line: &str| {
            let by_both = CHANGED_BY_BOTH.iter().find(|it| (it.0, it.1) == (&*path, line));
            by_both.map_or_else(|| line.to_owned(), |it| it.2.to_owned())
        };
        let gone = written.filter(|line| !now.contains_key(&*became(line)));
        let gone = gone.map(|line| format!("{path}: {line}"));
        lost.extend(gone);
    }
    assert_eq!(lost, [""; 0], "lines of people are lost");
}

#[test]
fn what_people_did_to_files_stands() {
    let project = Project::new();
    project.regenerate(1);
    project.resolve();
    let after = files(&project.place());
    for removed in fs::read_to_string(data("removed")).expect("readable").lines() {
        assert!(!after.contains_key(removed), "{removed} is back");
    }
    let schemas = &after["backend/app/schemas/client.py"];
    let count = |pattern: &[u8]| schemas.windows(pattern.len()).filter(|it| it == &pattern).count();
    assert_eq!(count(b"\n"), count(b"\r\n"), "line endings are mixed");
    assert!(count(b"vat_number") > 0);
    let news: Vec<_> = after.keys().filter(|path| path.ends_with(".new")).collect();
    assert!(news.is_empty(), "{news:?} is left");
    assert_eq!(after["docs/runbook.md"], project.before["docs/runbook.md"]);
    assert!(!after[MOVED.1].is_empty() && after[MOVED.1] != project.before[MOVED.1]);
    // What is new is there.
    for path in ["backend/app/models/payment.py", "backend/app/api/payments.py"] {
        assert!(after.contains_key(path), "{path} is missing");
    }
    let text = |path: &str| String::from_utf8(after[path].clone()).expect("text");
    assert!(!text("backend/app/api/notes.py").contains("/bulk"));
    assert!(text("backend/app/core/plans.py").contains("BUSINESS = Plan("));
    let said = project.regenerate(0);
    assert!(said.contains("is up to date"), "{said}");
    let changed: Vec<String> = files(&project.place())
        .into_iter()
        .filter(|(path, bytes)| path.contains('/') && after.get(path) != Some(bytes))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(changed, [""; 0], "a second build changes something");
}

#[test]
fn every_guard_stands() {
    let project = Project::new();
    project.regenerate(1);
    project.resolve();
    let report = project.audit();
    assert!(!report.is_failed(), "{report}");
    let gone: Vec<_> = report.generated.iter().filter(|route| route.place.is_none()).collect();
    assert!(gone.is_empty(), "{gone:?}");
    let create = "app.api.invoices.create_invoice";
    let created = report.generated.iter().find(|it| it.route == create).expect("it is generated");
    let new = "require_active_subscription".to_owned();
    assert!(created.guards.contains(&new), "{created:?}");
    let mut added: Vec<_> =
        report.added.iter().map(|it| (&*it.route, it.guards.concat())).collect();
    added.sort();
    let roles = "require_org_roles(Role.OWNER, Role.ADMIN)";
    for ((route, guards), expected) in added
        .iter()
        .zip(["app.api.clients.read_label", "app.api.exchange_rates.list_exchange_rates"])
    {
        assert_eq!(*route, expected);
        assert!(guards.contains(roles), "{route}: {guards}");
    }
    assert_eq!(added.len(), 2, "{added:?}");
    let invoices = fs::read_to_string(project.backend().join("app/api/invoices.py"));
    assert_eq!(invoices.expect("readable").matches("Depends(require_open_books)").count(), 2);
}

const DATABASE: (&str, &str) = ("DATABASE_URL", "sqlite+aiosqlite:///./ledger.db");

/// The way that astgen shows: apply, resolve, make the migration, upgrade, start.
#[test]
fn the_merged_project_runs() {
    let project = Project::new();
    let backend = project.backend();
    let alembic = |args: &[&str]| {
        run(program("alembic", &backend).args(args).envs([DATABASE]));
    };
    alembic(&["upgrade", "head"]);
    project.check(&["build", "ledger/astgen.toml", "--out", "ledger"], 1);
    let shown = project.astgen(&["apply-plan", "ledger", "--autogenerate"]);
    let shown = String::from_utf8(shown.stdout).expect("text");
    project.check(&["apply-plan", "ledger", "--apply"], 1);
    project.resolve();
    run(in_shell(project.folder.path(), shown.trim()).envs([DATABASE]));
    alembic(&["upgrade", "head"]);
    alembic(&["check"]);
    run(program("python", &backend).args(["-c", IMPORT_ALL]));
    let mut tests: Vec<String> =
        files(&backend).into_keys().filter(|path| path.starts_with("tests/test_entit")).collect();
    tests.push("tests/test_health.py".to_owned());
    // People made the roles of invoices stricter than the suite knows.
    let some = "clients or payments or test_health";
    let options = ["-q", "-p", "no:cacheprovider", "-k", some];
    run(program("pytest", &backend).args(options).args(tests));
    let server = serve(&backend, &[DATABASE]);
    let answer = get(&server.url, "/health");
    let log = fs::read_to_string(&server.log).unwrap_or_default();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}\n{log}");
}

const IMPORT_ALL: &str = "import importlib, pkgutil, app\n\
    for module in pkgutil.walk_packages(app.__path__, 'app.'):\n    importlib.import_module(module.name)\n";

fn get(url: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    answer
}
