//! Regeneration from outside: plan, apply, resolve, in temporary folders.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const SPEC: &str = "\
[project]
name = \"notes\"

[entities.note]
fields.title = { type = \"text\", max_length = 120 }
fields.body = { type = \"text\", max_length = 10000, default = \"\" }
";

const MODEL: &str = "backend/app/models/note.py";
const ROUTES: &str = "backend/app/api/notes.py";

/// A project below a temporary folder, with its spec beside it.
struct Project {
    folder: TempDir,
}

impl Project {
    fn new() -> Project {
        let project = Project { folder: tempfile::tempdir().expect("a temporary folder") };
        project.spec(SPEC);
        project.check(&["build", "--out", "p"], 0, "files created");
        project
    }

    fn spec(&self, spec: &str) {
        fs::write(self.folder.path().join("astgen.toml"), spec).expect("writable");
    }

    /// The spec with another length of the title: the model, the schema and the tests change.
    fn longer_titles(&self) {
        self.spec(&SPEC.replace("120", "200"));
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_astgen"));
        let command = command.current_dir(self.folder.path()).args(args).env("NO_COLOR", "1");
        command.output().expect("astgen runs")
    }

    /// Runs astgen; it ends with `code` and says `what`.
    #[track_caller]
    fn check(&self, args: &[&str], code: i32, what: &str) -> String {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(what), "{what:?} is not in\n{said}");
        said
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> serde_json::Value {
        let output = self.run(args);
        let err = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {err}"))
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join("p").join(path)
    }

    #[track_caller]
    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("below")).expect("writable");
        fs::write(path, text).expect("writable");
    }

    #[track_caller]
    fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{from:?} is not in {path}");
        self.write(path, text.replacen(from, to, 1));
    }

    /// Everything in the project, with the contents of the files.
    fn tree(&self) -> Vec<(PathBuf, Option<Vec<u8>>)> {
        let entries = walkdir::WalkDir::new(self.path("")).sort_by_file_name();
        let entries = entries.into_iter().map(|entry| entry.expect("readable"));
        entries.map(|entry| (entry.path().to_owned(), fs::read(entry.path()).ok())).collect()
    }

    fn plan(&self) -> serde_json::Value {
        serde_json::from_str(&self.read("plan.json")).expect("JSON")
    }

    /// The type of the plan's action for a path.
    fn planned(&self, path: &str) -> Option<String> {
        let plan = self.plan();
        let mut actions = plan["actions"].as_array().expect("a list").iter();
        let action = actions.find(|action| action["path"] == path)?;
        action["type"].as_str().map(str::to_owned)
    }

    #[track_caller]
    fn check_no_leftovers(&self) {
        let names = [".astgen/journal.json", ".astgen/staging"];
        names.iter().for_each(|name| assert!(!self.path(name).exists(), "{name} is left"));
        let strays = self.tree();
        let stray = strays.iter().find(|(path, _)| path.to_string_lossy().ends_with("astgen-new"));
        assert_eq!(stray, None);
    }
}

#[test]
fn a_build_of_what_is_there_changes_nothing() {
    let project = Project::new();
    let before = project.tree();
    project.check(&["build", "--out", "p"], 0, "is up to date");
    project.edit(MODEL, "A note", "My own note");
    let edited = project.tree();
    project.check(&["build", "--out", "p", "--apply"], 0, "is up to date");
    assert_eq!(project.tree(), edited);
    assert_ne!(before, edited);
}

#[test]
fn a_changed_spec_is_planned_and_nothing_else_changes() {
    let project = Project::new();
    let before = project.tree();
    project.longer_titles();
    project.check(&["build", "--out", "p"], 0, "nothing else was changed");
    let after = project.tree();
    let is_new = |(path, _): &&(PathBuf, Option<Vec<u8>>)| {
        !path.ends_with("plan.json") && !path.ends_with("conflicts.json")
    };
    assert_eq!(after.iter().filter(is_new).cloned().collect::<Vec<_>>(), before);
    assert_eq!(project.planned(MODEL).as_deref(), Some("update"));
    let plan = project.plan();
    project.check(&["build", "--out", "p"], 0, "nothing else was changed");
    assert_eq!(project.plan(), plan);
}

#[test]
fn applying_lets_edits_stand_and_is_idempotent() {
    let project = Project::new();
    project.edit(MODEL, "A note of an organization.", "What people jot down.");
    project.write("mine.txt", "mine");
    project.longer_titles();
    project.check(&["build", "--out", "p"], 0, "merge");
    project.check(&["apply-plan", "p"], 0, "nothing was written");
    project.check(&["apply-plan", "p", "--apply"], 0, "1 to merge");
    let model = project.read(MODEL);
    assert!(model.contains("What people jot down.") && model.contains("String(200)"), "{model}");
    let after = project.tree();
    project.check(&["apply-plan", "p", "--apply"], 0, "done already");
    project.check(&["build", "--out", "p", "--apply"], 0, "is up to date");
    let same = project.check(&["apply-plan", "p"], 0, "no file changes");
    assert!(!same.contains("merge"), "{same}");
    let state = |tree: Vec<(PathBuf, Option<Vec<u8>>)>| -> Vec<_> {
        tree.into_iter().filter(|(path, _)| !path.ends_with("plan.json")).collect()
    };
    assert_eq!(state(project.tree()), state(after));
    project.check_no_leftovers();
}

#[test]
fn what_is_new_is_created_and_what_is_gone_is_deleted() {
    let project = Project::new();
    let tag = "\n[entities.tag]\nfields.name = { type = \"text\", max_length = 20 }\n";
    project.spec(&format!("{SPEC}{tag}"));
    let built = project.json(&["build", "--out", "p", "--apply", "--json"]);
    let created: Vec<_> = built["created"].as_array().expect("a list").iter().collect();
    assert!(created.iter().any(|path| *path == "backend/app/api/tags.py"), "{built}");
    assert!(project.read("backend/app/api/routers.py").contains("tags.router"));
    project.edit("backend/app/models/tag.py", "A tag", "My tag");
    project.spec(SPEC);
    project.check(&["build", "--out", "p", "--apply"], 1, "no longer generated");
    assert!(!project.path("backend/app/api/tags.py").exists());
    assert!(project.read("backend/app/models/tag.py").contains("My tag"));
    project.check(&["apply-plan", "p", "--resolve", "backend/app/models/tag.py", "--ours"], 0, "");
    project.check(&["build", "--out", "p"], 0, "is up to date");
    assert!(project.read("backend/app/models/tag.py").contains("My tag"));
}

#[test]
fn what_people_removed_stays_removed() {
    let project = Project::new();
    fs::remove_file(project.path(MODEL)).expect("it is there");
    project.longer_titles();
    project.check(&["build", "--out", "p", "--apply"], 0, "it stays removed");
    assert!(!project.path(MODEL).exists());
    project.check(&["build", "--out", "p"], 0, "is up to date");
}

#[test]
fn a_file_that_people_moved_is_merged_at_its_new_place() {
    let project = Project::new();
    project.edit(MODEL, "A note of an organization.", "What people jot down.");
    let place = "backend/app/domain/notes/model.py";
    project.write(place, project.read(MODEL));
    fs::remove_file(project.path(MODEL)).expect("it is there");
    project.longer_titles();
    project.check(&["build", "--out", "p", "--apply"], 0, place);
    assert!(!project.path(MODEL).exists());
    let model = project.read(place);
    assert!(model.contains("What people jot down.") && model.contains("String(200)"), "{model}");
    // From now on the place is known, however little is left of the file.
    project.write(place, "from sqlalchemy import String\n");
    project.spec(&SPEC.replace("120", "300"));
    project.check(&["build", "--out", "p"], 1, place);
    assert_eq!(project.planned(place).as_deref(), Some("conflict"));
}

#[test]
fn a_clash_is_left_to_a_person() {
    let project = Project::new();
    project.edit(MODEL, "String(120)", "String(64)");
    let mine = project.read(MODEL);
    project.longer_titles();
    project.check(&["build", "--out", "p"], 1, "conflict");
    let conflicts: serde_json::Value =
        serde_json::from_str(&project.read("conflicts.json")).expect("JSON");
    assert_eq!(conflicts["conflicts"][0]["path"], MODEL);
    assert_eq!(conflicts["conflicts"][0]["clashes"][0]["definition"], "Note.title");
    project.check(&["apply-plan", "p", "--apply"], 1, "--resolve");
    assert_eq!(project.read(MODEL), mine);
    let beside = format!("{MODEL}.new");
    let marked = project.read(&beside);
    for part in ["<<<<<<< yours", "||||||| generated last", "=======", ">>>>>>> generated now"] {
        assert!(marked.contains(part), "{marked}");
    }
    project.check(&["apply-plan", "p", "--apply"], 1, "in conflict");
    project.check(&["apply-plan", "p", "--resolve", MODEL], 2, "markers");

    // Another build does not touch what somebody works on.
    project.write(&beside, mine.replace("String(64)", "String(100)"));
    project.check(&["build", "--out", "p", "--apply"], 1, "is yours");
    project.check(&["apply-plan", "p", "--resolve", &beside], 0, "is resolved");
    assert!(project.read(MODEL).contains("String(100)"));
    assert!(!project.path(&beside).exists());
    assert!(!project.read("conflicts.json").contains(MODEL));
    project.check(&["build", "--out", "p"], 0, "is up to date");
    project.check(&["apply-plan", "p", "--resolve", MODEL], 2, "is not in conflict");
    project.check_no_leftovers();
}

#[test]
fn a_clash_can_be_ended_for_either_side() {
    for (choice, expected) in [("--ours", "String(64)"), ("--theirs", "String(200)")] {
        let project = Project::new();
        project.edit(MODEL, "String(120)", "String(64)");
        project.longer_titles();
        project.check(&["build", "--out", "p", "--apply"], 1, "conflict");
        project.check(&["apply-plan", "p", "--resolve", MODEL, choice], 0, "is resolved");
        assert!(project.read(MODEL).contains(expected));
        assert!(!project.path(&format!("{MODEL}.new")).exists());
        project.check(&["build", "--out", "p"], 0, "is up to date");
    }
}

#[test]
fn a_clash_that_is_mended_by_hand_is_over() {
    let project = Project::new();
    project.edit(MODEL, "String(120)", "String(64)");
    project.longer_titles();
    project.check(&["build", "--out", "p", "--apply"], 1, "conflict");
    project.edit(MODEL, "String(64)", "String(200)");
    project.check(&["build", "--out", "p", "--apply"], 0, "");
    assert!(!project.path(&format!("{MODEL}.new")).exists());
    project.check(&["build", "--out", "p"], 0, "is up to date");
}

#[test]
fn a_stale_plan_is_refused() {
    let project = Project::new();
    project.longer_titles();
    project.check(&["build", "--out", "p"], 0, "");
    project.edit(MODEL, "A note", "My note");
    let before = project.tree();
    project.check(&["apply-plan", "p", "--apply"], 2, MODEL);
    assert_eq!(project.tree(), before);
    // Of two plans from one state, the second is stale once the first is applied.
    project.check(&["build", "--out", "p"], 0, "");
    let plan = project.read("plan.json");
    project.spec(&SPEC.replace("120", "300"));
    project.check(&["build", "--out", "p", "--apply"], 0, "");
    project.write("plan.json", plan);
    project.check(&["apply-plan", "p", "--apply"], 2, "changed since it was made");
}

#[test]
fn habits_of_files_survive() {
    let project = Project::new();
    let windows = project.read(MODEL).replace('\n', "\r\n");
    project.write(MODEL, format!("\u{feff}{}", windows.trim_end()));
    let script = "backend/app/schemas/note.py";
    fs::set_permissions(project.path(script), fs::Permissions::from_mode(0o754)).expect("ours");
    project.longer_titles();
    project.check(&["build", "--out", "p", "--apply"], 0, "");
    let model = project.read(MODEL);
    assert!(model.starts_with('\u{feff}') && model.contains("String(200)"), "{model:?}");
    assert!(!model.ends_with('\n'), "{model:?}");
    assert_eq!(model.matches('\n').count(), model.matches("\r\n").count());
    let mode = fs::metadata(project.path(script)).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o754);
    assert!(project.read(script).contains("200"));
}

#[test]
fn a_file_that_is_no_text_is_left_alone() {
    let project = Project::new();
    project.write(MODEL, b"x = '\xff'\n");
    project.longer_titles();
    project.check(&["build", "--out", "p", "--apply"], 1, "is not UTF-8");
    assert_eq!(fs::read(project.path(MODEL)).expect("readable"), b"x = '\xff'\n");
    assert!(project.read(&format!("{MODEL}.new")).contains("String(200)"));
}

#[test]
fn links_are_not_written_through() {
    let project = Project::new();
    let outside = project.folder.path().join("outside.py");
    fs::write(&outside, "outside").expect("writable");
    fs::remove_file(project.path(MODEL)).expect("it is there");
    symlink(&outside, project.path(MODEL)).expect("writable");
    let schemas = project.path("backend/app/schemas");
    fs::rename(&schemas, project.folder.path().join("schemas")).expect("writable");
    symlink(project.folder.path().join("schemas"), &schemas).expect("writable");
    project.longer_titles();
    project.check(&["build", "--out", "p"], 1, "symbolic link");
    project.check(&["apply-plan", "p", "--apply"], 1, "leads out of the project");
    assert!(!project.folder.path().join("schemas/note.py.new").exists());
    assert_eq!(fs::read_to_string(&outside).expect("readable"), "outside");
    let schema = project.folder.path().join("schemas/note.py");
    assert!(fs::read_to_string(schema).expect("readable").contains("120"));
}

#[test]
fn a_lost_state_loses_no_edit() {
    let project = Project::new();
    fs::remove_dir_all(project.path(".astgen")).expect("it is there");
    project.edit(MODEL, "A note of an organization.", "What people jot down.");
    project.longer_titles();
    project.check(&["build", "--out", "p", "--apply"], 1, "has no .astgen");
    assert!(project.read(MODEL).contains("What people jot down."));
    let beside = project.read(&format!("{MODEL}.new"));
    assert!(beside.contains("<<<<<<<") && beside.contains("String(200)"), "{beside}");
    project.check(&["apply-plan", "p", "--resolve", MODEL, "--ours"], 1, "still in conflict");
}

#[test]
fn pristine_regions_are_known_without_any_state() {
    let project = Project::new();
    fs::remove_dir_all(project.path(".astgen")).expect("it is there");
    project.spec(
        &SPEC
            .replace("[entities.note]", "[entities.note]\nwrite = [\"owner\"]\nread = [\"owner\"]"),
    );
    project.check(&["build", "--out", "p", "--apply"], 1, "has no .astgen");
    assert!(!project.path(&format!("{ROUTES}.new")).exists());
    let routes = project.read(ROUTES);
    assert!(routes.contains("Depends(require_org_roles(Role.OWNER))"), "{routes}");
}

#[test]
fn a_damaged_state_is_known_from_its_other_half() {
    for damaged in ["manifest.json", "texts"] {
        let project = Project::new();
        project.edit(MODEL, "A note of an organization.", "What people jot down.");
        project.write(&format!(".astgen/{damaged}"), "<<<<<<< HEAD\n");
        project.longer_titles();
        let left = i32::from(damaged == "texts");
        project.check(&["build", "--out", "p", "--apply"], left, "");
        assert!(project.read(MODEL).contains("What people jot down."));
        assert!(project.read("backend/app/schemas/note.py").contains("200"), "{damaged}");
        if damaged == "manifest.json" {
            assert!(project.read(MODEL).contains("String(200)"));
            project.check(&["build", "--out", "p"], 0, "is up to date");
        }
    }
}

#[test]
fn a_newer_state_is_refused_and_an_older_one_is_said() {
    let project = Project::new();
    let manifest = project.read(".astgen/manifest.json");
    project.write(".astgen/manifest.json", manifest.replace("\"format\": 2", "\"format\": 9"));
    let before = project.tree();
    project.check(&["build", "--out", "p"], 2, "is of format 9");
    assert_eq!(project.tree(), before);
    project.write(".astgen/manifest.json", manifest.replace("\"format\": 2", "\"format\": 1"));
    project.check(&["build", "--out", "p"], 0, "is of format 1");
    for (version, said) in [("0.0.1", "was generated by astgen 0.0.1"), ("99.0.0", "is newer")] {
        let start = manifest.find("\"generator\": \"").expect("it is there");
        let end = start + manifest[start..].find('\n').expect("a line");
        let line = format!("\"generator\": \"{version}\",");
        let other = [&manifest[..start], &line, &manifest[end..]].concat();
        project.write(".astgen/manifest.json", other);
        project.check(&["build", "--out", "p"], 0, said);
    }
    project.check(&["build", "--out", "p", "--apply"], 0, "");
    assert_eq!(project.read(".astgen/manifest.json"), manifest);
}

#[test]
fn plans_that_astgen_did_not_make_are_applied_with_care() {
    let project = Project::new();
    let plan = serde_json::json!({"actions": [
        {"type": "create", "path": "x/new.py", "content": "x = 1\n"},
        {"type": "create", "path": "mine.txt", "content": "theirs"},
        {"type": "update", "path": MODEL, "new_content": "y = 1\n"},
        {"type": "update", "path": "foreign.txt", "new_content": "new"},
        {"type": "conflict", "path": ROUTES, "new_content": "z = 1\n"},
        {"type": "delete", "path": "README.md"},
    ]});
    project.write("plan.json", plan.to_string());
    project.write("mine.txt", "mine");
    project.write("foreign.txt", "old");
    project.edit(MODEL, "A note", "My note");
    let (model, routes) = (project.read(MODEL), project.read(ROUTES));
    project.check(&["apply-plan", "p", "--apply"], 1, "3 in conflict");
    assert_eq!(project.read("x/new.py"), "x = 1\n");
    assert_eq!(project.read("mine.txt"), "mine");
    assert_eq!(project.read("mine.txt.new"), "theirs");
    assert_eq!(project.read("foreign.txt"), "new");
    assert_eq!((project.read(MODEL), project.read(ROUTES)), (model, routes));
    assert_eq!(project.read(&format!("{ROUTES}.new")), "z = 1\n");
    assert!(!project.path("README.md").exists());
    project.check(&["apply-plan", "p", "--resolve", ROUTES], 0, "is resolved");
    assert_eq!(project.read(ROUTES), "z = 1\n");
}

#[test]
fn a_plan_that_leads_out_is_refused() {
    let project = Project::new();
    let plan = r#"{"actions": [{"type": "create", "path": "ok.py", "content": ""},
        {"type": "create", "path": "../evil.py", "content": ""}]}"#;
    project.write("plan.json", plan);
    let before = project.tree();
    project.check(&["apply-plan", "p", "--apply"], 2, "../evil.py");
    assert_eq!(project.tree(), before);
    assert!(!project.folder.path().join("evil.py").exists());
    fs::remove_file(project.path("plan.json")).expect("it is there");
    project.check(&["apply-plan", "p"], 2, "there is no plan");
    project.check(&["apply-plan", "nowhere"], 2, "there is no project at nowhere");
}

/// The migrations of the project, but for the first.
fn later_migrations(project: &Project) -> Vec<String> {
    let folder = fs::read_dir(project.path("backend/migrations/versions")).expect("a folder");
    let names = folder.map(|entry| entry.expect("readable").file_name().into_string());
    let names = names.map(|name| name.expect("a plain name"));
    names.filter(|name| name.ends_with(".py") && name != "0001_initial.py").collect()
}

#[test]
fn a_changed_spec_brings_its_migration() {
    let project = Project::new();
    project.longer_titles();
    project.check(&["build", "--out", "p"], 0, "the plan brings the migration: read backend");
    let plan = project.plan();
    project.check(&["build", "--out", "p"], 0, "the plan brings the migration");
    assert_eq!(project.plan(), plan);
    assert!(later_migrations(&project).is_empty());
    let output = project.run(&["apply-plan", "p", "--autogenerate"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    project.check(&["apply-plan", "p", "--apply"], 0, "the plan brings the migration");
    let [name] = &later_migrations(&project)[..] else { panic!("one migration") };
    assert!(name.starts_with("0002_") && name.ends_with("_alter_notes_title.py"), "{name}");
    let text = project.read(&format!("backend/migrations/versions/{name}"));
    for part in ["down_revision = \"0001\"", "type_=sa.String(200)", "def downgrade()"] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(!text.contains("IS_REVIEWED"), "{text}");
    project.check(&["build", "--out", "p"], 0, "is up to date");
}

#[test]
fn a_migration_that_was_brought_is_never_changed() {
    let project = Project::new();
    let first = project.read("backend/migrations/versions/0001_initial.py");
    project.longer_titles();
    project.check(&["build", "--out", "p", "--apply"], 0, "brings the migration");
    let [second] = &later_migrations(&project)[..] else { panic!("one migration") };
    let second = format!("backend/migrations/versions/{second}");
    project.edit(&second, "Make the tables", "By us: make the tables");
    let edited = project.read(&second);
    project.spec(&SPEC.replace("fields.body", "fields.note = { type = \"text\" }\nfields.body"));
    project.check(&["build", "--out", "p", "--apply"], 0, "it loses data: it stops until");
    assert_eq!(project.read(&second), edited);
    assert_eq!(project.read("backend/migrations/versions/0001_initial.py"), first);
    let mut names = later_migrations(&project);
    names.sort();
    let [before, third] = &names[..] else { panic!("two migrations: {names:?}") };
    let third = project.read(&format!("backend/migrations/versions/{third}"));
    let parent = before.split('_').take(2).collect::<Vec<_>>().join("_");
    assert!(third.contains(&format!("down_revision = \"{parent}\"")), "{third}");
    assert!(third.contains("which not every value may fit"), "{third}");
    project.check(&["build", "--out", "p"], 0, "is up to date");
}

#[test]
fn a_migration_comes_after_those_that_people_made() {
    let project = Project::new();
    let own = "revision: str = \"abc\"\ndown_revision: str | None = \"0001\"\n";
    project.write("backend/migrations/versions/abc_ours.py", own);
    project.longer_titles();
    project.check(&["build", "--out", "p", "--apply"], 0, "brings the migration");
    let names = later_migrations(&project);
    let name = names.iter().find(|name| name.starts_with("0002_")).expect("a migration");
    let text = project.read(&format!("backend/migrations/versions/{name}"));
    assert!(text.contains("down_revision = \"abc\""), "{text}");
}

#[test]
fn a_project_that_does_not_say_what_its_tables_are_asks_for_a_migration() {
    let project = Project::new();
    fs::remove_file(project.path("backend/migrations/schema.json")).expect("it is there");
    fs::remove_dir_all(project.path(".astgen")).expect("it is there");
    project.longer_titles();
    let said = project.check(&["build", "--out", "p"], 1, "alembic revision --autogenerate -m");
    assert!(!said.contains("brings the migration"), "{said}");
    let output = project.run(&["apply-plan", "p", "--autogenerate"]);
    let command = String::from_utf8_lossy(&output.stdout);
    assert!(command.starts_with("cd p/backend && alembic revision --autogenerate"), "{command}");
}

#[test]
fn git_keeps_the_state_whole() {
    let project = Project::new();
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        let output = git
            .current_dir(project.path(""))
            .args(["-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false"])
            .args(args)
            .output()
            .expect("git runs");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let add = |name: &str| {
        let entity =
            format!("\n[entities.{name}]\nfields.name = {{ type = \"text\", max_length = 20 }}\n");
        project.spec(&format!("{SPEC}{entity}"));
        project.check(&["build", "--out", "p", "--apply"], 0, "");
        git(&["add", "-A"]);
        git(&["commit", "-qm", name]);
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["config", "core.autocrlf", "true"]);
    git(&["add", "-A", "."]);
    git(&["commit", "-qm", "all"]);
    git(&["checkout", "-q", "-b", "side"]);
    add("tag");
    git(&["checkout", "-q", "main"]);
    add("label");
    // Only the state is merged here: the generated files are git's and the merge driver's matter.
    git(&["merge", "-q", "-X", "ours", "side", "-m", "both"]);
    let both = ["tag", "label"].map(|name| {
        format!("\n[entities.{name}]\nfields.name = {{ type = \"text\", max_length = 20 }}\n")
    });
    project.spec(&format!("{SPEC}{}", both.concat()));
    project.check(&["build", "--out", "p", "--apply"], 0, "two branches merged by git");
    let routers = project.read("backend/app/api/routers.py");
    assert!(routers.contains("tags.router") && routers.contains("labels.router"), "{routers}");
    project.check(&["build", "--out", "p"], 0, "is up to date");
    let clone = project.folder.path().join("clone");
    git(&["add", "-A"]);
    git(&["commit", "-qm", "merged"]);
    git(&["clone", "-q", ".", &clone.to_string_lossy()]);
    project.check(&["build", "--out", "clone"], 0, "is up to date");
    assert!(Path::new(&clone).join(".astgen/texts").exists());
}
