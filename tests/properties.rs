//! The laws of regeneration, on what astgen generates: people edit at random, the spec changes at random, plans name
//! any path.

mod command;

use astgen::audit::audit;
use astgen::disk::Root;
use astgen::merge::conflict::Labels;
use astgen::merge::{Language, merge_file};
use astgen::outline::outline;
use astgen::plan::{ActionType, Plan};
use astgen::{apply, journal, planning, project, state};
use astgen_emitters::spec::{self, Spec};
use command::tree;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

/// `PROPTEST_CASES` asks for another number of cases than the usual one.
fn config(usual: u32) -> Config {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|it| it.parse().ok());
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/regeneration.txt");
    Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds))),
        // What fails is shown with its texts: a smaller case says little more, and takes long to find.
        max_shrink_iters: 64,
        ..Config::with_cases(asked.unwrap_or(usual))
    }
}

/// A spec, by what is different in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choices {
    longer: bool,
    field: bool,
    entity: bool,
    guard: bool,
    plan: bool,
    bulk: bool,
    roles: bool,
    search: bool,
}

impl Choices {
    fn of(bits: u8) -> Choices {
        let bit = |at: u8| bits & (1 << at) != 0;
        Choices {
            longer: bit(0),
            field: bit(1),
            entity: bit(2),
            guard: bit(3),
            plan: bit(4),
            bulk: bit(5),
            roles: bit(6),
            search: bit(7),
        }
    }

    fn source(self) -> String {
        let one = |is: bool, text: &str| if is { text.to_owned() } else { String::new() };
        let plan = "[[billing.plans]]\nname = \"big\"\ntitle = \"Big\"\nfeatures = [\"more\"]\n\
            price = { amount = 9900, currency = \"usd\", interval = \"month\" }\n";
        let entity = "[entities.tag.fields]\nlabel = { type = \"text\", max_length = 20 }\n";
        [
            "[project]\nname = \"laws\"\n[billing]\nprovider = \"stripe\"\n\
             [[billing.plans]]\nname = \"free\"\ntitle = \"Free\"\n\
             [[billing.plans]]\nname = \"paid\"\ntitle = \"Paid\"\n\
             price = { amount = 900, currency = \"usd\", interval = \"month\" }\n",
            &one(self.plan, plan),
            "[entities.note]\n",
            &one(self.guard, "guards = [\"active_subscription\"]\n"),
            &one(self.bulk, "bulk_create = true\n"),
            &one(self.roles, "write = [\"owner\"]\n"),
            &one(self.search, "search = [\"title\"]\n"),
            "[entities.note.fields]\n",
            if self.longer {
                "title = { type = \"text\", max_length = 200 }\n"
            } else {
                "title = { type = \"text\", max_length = 120 }\n"
            },
            &one(self.field, "due_on = { type = \"date\", optional = true, index = true }\n"),
            &one(self.entity, entity),
        ]
        .concat()
    }

    fn spec(self) -> Spec {
        spec::read(&self.source(), "astgen.toml").expect("a good spec")
    }
}

/// The files that people edit here: those that the spec has most to say about.
const EDITED: [&str; 8] = [
    "backend/app/api/notes.py",
    "backend/app/api/routers.py",
    "backend/app/core/plans.py",
    "backend/app/models/note.py",
    "backend/app/schemas/note.py",
    "backend/app/services/note_service.py",
    "backend/tests/factories.py",
    "backend/tests/test_entities.py",
];

/// The texts of those files for a few specs, made once.
fn generated() -> &'static [BTreeMap<String, String>] {
    static GENERATED: OnceLock<Vec<BTreeMap<String, String>>> = OnceLock::new();
    GENERATED.get_or_init(|| {
        let bits = [0, 1, 2, 4, 8, 16, 32, 64, 128, 0xff, 0x2a, 0xd5];
        let texts = bits.map(|bits| {
            let files = astgen_emitters::generate(&Choices::of(bits).spec());
            let wanted = files.iter().filter(|file| EDITED.contains(&file.path.as_str()));
            wanted.map(|file| (file.path.clone(), file.text())).collect()
        });
        texts.into()
    })
}

/// An edit; the number says where, and makes what it writes its own.
#[derive(Debug, Clone, Copy)]
enum Edit {
    Statement(usize),
    Comment(usize),
    TrailingComment(usize),
    Function(usize),
    Import(usize),
    Guard(usize),
    Wrap(usize),
    Rename(usize),
    Delete(usize),
    Reformat(usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    use Edit::*;
    prop_oneof![
        3 => any::<usize>().prop_map(Statement),
        2 => any::<usize>().prop_map(Comment),
        2 => any::<usize>().prop_map(TrailingComment),
        2 => any::<usize>().prop_map(Function),
        2 => any::<usize>().prop_map(Import),
        2 => any::<usize>().prop_map(Guard),
        2 => any::<usize>().prop_map(Wrap),
        1 => any::<usize>().prop_map(Rename),
        2 => any::<usize>().prop_map(Delete),
        2 => any::<usize>().prop_map(Reformat),
    ]
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    prop::collection::vec(edit(), 1..6)
}

fn mark(number: usize) -> String {
    format!("mine_{:x}", number % 0xf_ffff)
}

/// Applies an edit where it makes sense and leaves Python; the text and what was written into it.
fn applied(text: &str, edit: Edit) -> Option<(String, Option<String>)> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = |number: usize| number % lines.len();
    let indent = |at: usize| &lines[at][..lines[at].len() - lines[at].trim_start().len()];
    let insert = |at: usize, new: &str| {
        [&lines[..at].concat(), indent(at), new, "\n", &lines[at..].concat()].concat()
    };
    let (edited, left) = match edit {
        Edit::Statement(number) => {
            let mark = mark(number);
            (insert(at(number), &format!("{mark} = 1")), Some(mark))
        }
        Edit::Comment(number) => {
            let mark = mark(number);
            (insert(at(number), &format!("# {mark}")), Some(mark))
        }
        Edit::TrailingComment(number) => {
            let (mark, at) = (mark(number), at(number));
            let line = lines[at].trim_end_matches('\n');
            let line = format!("{line}  # {mark}\n");
            ([&lines[..at].concat(), &*line, &lines[at + 1..].concat()].concat(), Some(mark))
        }
        Edit::Function(number) => {
            let mark = mark(number);
            (format!("{text}\n\ndef {mark}() -> int:\n    return 1\n"), Some(mark))
        }
        Edit::Import(number) => {
            let mark = mark(number);
            let at = lines.iter().position(|line| line.starts_with("from "))?;
            (insert(at, &format!("from mine import {mark}")), Some(mark))
        }
        Edit::Guard(number) => {
            let mark = mark(number);
            let places: Vec<usize> = text.match_indices("dependencies=[").map(|it| it.0).collect();
            let at = places.get(number % places.len().max(1))? + "dependencies=[".len();
            ([&text[..at], &format!("Depends({mark}), "), &text[at..]].concat(), Some(mark))
        }
        Edit::Wrap(number) => {
            let (mark, at) = (mark(number), at(number));
            let wrapped = format!("{}if {mark}:\n    {}", indent(at), lines[at]);
            ([&lines[..at].concat(), &*wrapped, &lines[at + 1..].concat()].concat(), Some(mark))
        }
        Edit::Rename(number) => {
            let mark = mark(number);
            let names: Vec<&str> = lines
                .iter()
                .filter_map(|line| {
                    line.trim_start().trim_start_matches("async ").strip_prefix("def ")
                })
                .filter_map(|rest| rest.split('(').next())
                .collect();
            let name = names.get(number % names.len().max(1))?;
            (text.replace(&format!("{name}("), &format!("{mark}(")), Some(mark))
        }
        Edit::Delete(number) => {
            // Whoever removes a guard has removed it.
            let at = at(number);
            let line = lines[at];
            if line.contains("Depends") || line.contains("@") || line.contains("mine_") {
                return None;
            }
            ([lines[..at].concat(), lines[at + 1..].concat()].concat(), None)
        }
        Edit::Reformat(number) => {
            let opens: Vec<usize> = text.match_indices('(').map(|it| it.0 + 1).collect();
            let at = *opens.get(number % opens.len().max(1))?;
            ([&text[..at], "\n            ", &text[at..]].concat(), None)
        }
    };
    (edited != text && outline(&edited).is_some()).then_some((edited, left))
}

/// A file, edited; and what people wrote into it that is still there.
fn edited(base: &str, edits: &[Edit]) -> (String, Vec<String>) {
    let (mut text, mut marks) = (base.to_owned(), Vec::new());
    for edit in edits {
        if let Some((edited, mark)) = applied(&text, *edit) {
            text = edited;
            marks.extend(mark);
        }
    }
    marks.retain(|mark| text.contains(mark.as_str()));
    (text, marks)
}

proptest! {
    #![proptest_config(config(1024))]

    /// Whatever the spec becomes, what people wrote is in the merged file, or in the one with markers.
    #[test]
    fn nothing_that_people_wrote_is_lost(
        before in 0..12_usize,
        after in 0..12_usize,
        file in 0..EDITED.len(),
        edits in edits(),
    ) {
        let [base, theirs] = [before, after].map(|spec| &generated()[spec][EDITED[file]]);
        let (ours, marks) = edited(base, &edits);
        let bytes = [base, &ours, theirs].map(|text| text.as_bytes());
        let merged = merge_file(Language::Python, bytes[0], bytes[1], bytes[2], &Labels::default());
        let merged = merged.expect("all three are Python");
        let text = String::from_utf8(merged.bytes).expect("a merge of texts is a text");
        for mark in &marks {
            prop_assert!(text.contains(mark), "{mark} is lost:\n{text}\n#### ours\n{ours}");
        }
        if merged.conflicts.is_empty() {
            prop_assert!(outline(&text).is_some(), "not Python:\n{text}");
        }
    }
}

/// What people do to the files of a project.
#[derive(Debug, Clone)]
enum Deed {
    Edit(usize, Vec<Edit>),
    Move(usize),
    Remove(usize),
    Windows(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    let file = 0..EDITED.len();
    prop_oneof![
        6 => (file.clone(), edits()).prop_map(|(file, edits)| Deed::Edit(file, edits)),
        1 => file.clone().prop_map(Deed::Move),
        1 => file.clone().prop_map(Deed::Remove),
        1 => file.prop_map(Deed::Windows),
    ]
}

/// A project that people edited: where each file is now, and what was written into it.
fn lay_out(choices: Choices, deeds: &[Deed]) -> (TempDir, Vec<(String, String)>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = folder.path().join("p");
    project::create(&place, &choices.spec()).expect("a new project");
    let mut places: BTreeMap<usize, String> =
        EDITED.iter().enumerate().map(|(at, path)| (at, (*path).to_owned())).collect();
    let mut written = Vec::new();
    for deed in deeds {
        let (Deed::Edit(at, _) | Deed::Move(at) | Deed::Remove(at) | Deed::Windows(at)) = deed;
        let Some(path) = places.get(at).cloned() else { continue };
        let text = fs::read_to_string(place.join(&path)).expect("readable");
        match deed {
            Deed::Edit(_, edits) => {
                let (text, marks) = edited(&text.replace("\r\n", "\n"), edits);
                fs::write(place.join(&path), text).expect("writable");
                written.extend(marks.into_iter().map(|mark| (path.clone(), mark)));
            }
            Deed::Move(_) => {
                let moved =
                    format!("backend/app/moved/{at}/{}", path.rsplit('/').next().unwrap_or(""));
                fs::create_dir_all(place.join(&moved).parent().expect("a folder"))
                    .expect("writable");
                fs::rename(place.join(&path), place.join(&moved)).expect("writable");
                written.iter_mut().filter(|it| it.0 == path).for_each(|it| it.0.clone_from(&moved));
                places.insert(*at, moved);
            }
            Deed::Remove(_) => {
                fs::remove_file(place.join(&path)).expect("writable");
                written.retain(|it| it.0 != path);
                places.remove(at);
            }
            Deed::Windows(_) => {
                let windows = text.replace("\r\n", "\n").replace('\n', "\r\n");
                fs::write(place.join(&path), windows).expect("writable");
            }
        }
    }
    written.retain(|(path, mark)| {
        fs::read_to_string(place.join(path)).is_ok_and(|text| text.contains(mark.as_str()))
    });
    (folder, written)
}

/// The application's files, for the audit.
fn application(files: impl Iterator<Item = (String, String)>) -> Vec<(String, String)> {
    files
        .filter_map(|(path, text)| Some((path.strip_prefix("backend/")?.to_owned(), text)))
        .filter(|(path, _)| path.starts_with("app/") && path.ends_with(".py"))
        .collect()
}

proptest! {
    #![proptest_config(config(24))]

    /// A whole project: no text of people is lost, no guard is lost, and applying twice is applying once.
    #[test]
    fn a_project_keeps_what_people_did(
        before in any::<u8>(),
        after in any::<u8>(),
        deeds in prop::collection::vec(deed(), 1..8),
    ) {
        let (folder, written) = lay_out(Choices::of(before), &deeds);
        let place = folder.path().join("p");
        let root = Root::open(&place).expect("a folder");
        let spec = Choices::of(after).spec();
        let plan = planning::plan(&root, &spec).expect("a plan").plan;
        prop_assert_eq!(&Plan::parse(&plan.text()).expect("it can be read"), &plan);
        apply::apply(&root, &plan).expect("nothing is in the way");
        let once = tree(&place);
        apply::apply(&root, &plan).expect("nothing is in the way");
        prop_assert!(tree(&place) == once, "applying again changes something");
        let again = planning::plan(&root, &spec).expect("a plan").plan;
        apply::apply(&root, &again).expect("nothing is in the way");
        prop_assert!(tree(&place) == once, "building again changes something");

        let conflicts: Vec<String> =
            plan.of(ActionType::Conflict).map(|action| action.path.to_string()).collect();
        for (path, mark) in &written {
            let text = fs::read_to_string(place.join(path)).unwrap_or_default();
            prop_assert!(text.contains(mark), "{mark} is lost from {path}:\n{text}");
        }
        let wanted = astgen_emitters::generate(&spec).into_iter();
        let wanted = application(wanted.map(|file| (file.path.clone(), file.text())));
        let found = once.iter().filter_map(|(path, bytes)| {
            let text = String::from_utf8(bytes.clone()?).ok()?;
            Some((path.to_str()?.to_owned(), text))
        });
        let report = audit(&wanted, &application(found));
        for route in report.generated.iter().filter(|route| !route.missing.is_empty()) {
            let path = route.place.as_ref().map(|place| format!("backend/{}", place.path));
            let is_told = path.is_some_and(|path| conflicts.contains(&path));
            prop_assert!(is_told, "{} lost {:?}", route.route, route.missing);
        }
    }
}

/// Damage to a file of the state.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// It ends here.
    Cut(prop::sample::Index),
    /// A byte is another one.
    Byte(prop::sample::Index, u8),
    /// A line is gone.
    Line(prop::sample::Index),
    /// It is gone.
    Gone,
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        2 => any::<prop::sample::Index>().prop_map(Damage::Cut),
        2 => any::<(prop::sample::Index, u8)>().prop_map(|(at, byte)| Damage::Byte(at, byte)),
        2 => any::<prop::sample::Index>().prop_map(Damage::Line),
        1 => Just(Damage::Gone),
    ]
}

fn damaged(path: &Path, damage: Damage) {
    let mut bytes = fs::read(path).expect("it is there");
    match damage {
        Damage::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Damage::Byte(at, byte) => {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        Damage::Line(at) => {
            let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            let at = at.index(lines.len());
            bytes = [lines[..at].concat(), lines[at + 1..].concat()].concat();
        }
        Damage::Gone => return fs::remove_file(path).expect("it is there"),
    }
    fs::write(path, bytes).expect("writable");
}

proptest! {
    #![proptest_config(config(24))]

    /// A damaged state costs knowledge and never an edit.
    #[test]
    fn a_damaged_state_overwrites_nothing(
        after in any::<u8>(),
        deeds in prop::collection::vec(deed(), 1..6),
        manifest in prop::option::of(damage()),
        texts in prop::option::of(damage()),
    ) {
        let (folder, written) = lay_out(Choices::of(0), &deeds);
        let place = folder.path().join("p");
        for (path, damage) in [(state::MANIFEST, manifest), (state::TEXTS, texts)] {
            if let Some(damage) = damage {
                damaged(&place.join(path), damage);
            }
        }
        let root = Root::open(&place).expect("a folder");
        // A format that is not known is refused.
        let Ok(planned) = planning::plan(&root, &Choices::of(after).spec()) else { return Ok(()) };
        apply::apply(&root, &planned.plan).expect("nothing is in the way");
        for (path, mark) in &written {
            let text = fs::read_to_string(place.join(path)).unwrap_or_default();
            prop_assert!(text.contains(mark), "{mark} is lost from {path}:\n{text}");
        }
        let again = planning::plan(&root, &Choices::of(after).spec()).expect("it is whole again");
        prop_assert!(again.notes.is_empty(), "{:?}", again.notes);
    }
}

/// Names in paths of plans, good and bad.
const NAMES: &[&str] = &[
    "a",
    "b",
    "link",
    "loop",
    "file",
    "..",
    ".",
    "",
    ".git",
    ".GIT",
    "git~1",
    ".astgen",
    "outside",
    "c:",
    "a\\b",
    "..\\x",
    "~",
    "\u{200b}..",
    "x ",
    "y.",
    "NUL",
    "a\0b",
    "%2e%2e",
    "/",
    "ünï",
];

/// A name in a path of a plan.
fn name() -> impl Strategy<Value = String> {
    prop::sample::select(NAMES).prop_map(str::to_owned)
}

fn path() -> impl Strategy<Value = String> {
    (any::<bool>(), prop::collection::vec(name(), 1..5)).prop_map(|(is_absolute, names)| {
        format!("{}{}", if is_absolute { "/" } else { "" }, names.join("/"))
    })
}

const KINDS: &[&str] = &["create", "update", "merge", "conflict", "delete"];

fn action() -> impl Strategy<Value = serde_json::Value> {
    let texts = (path(), prop::option::of(path()), prop::sample::select(KINDS));
    texts.prop_map(|(path, origin, kind)| {
        let mut action = serde_json::json!({"type": kind, "path": path, "content": "evil\n"});
        if let Some(origin) = origin {
            action["generated_path"] = origin.into();
        }
        action
    })
}

/// A folder to be written in, with links that lead out of it, beside one that nothing may be written in.
fn trap() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |path: &str| folder.path().join(path);
    for path in ["p/a/b", "p/outside", "outside/a", "outside/b"] {
        fs::create_dir_all(at(path)).expect("writable");
    }
    for path in ["p/file", "p/a/file", "outside/file", "outside/a/file", "outside/a/link"] {
        fs::write(at(path), "good\n").expect("writable");
    }
    symlink("../outside", at("p/link")).expect("writable");
    symlink("../../outside/file", at("p/a/link")).expect("writable");
    symlink(at("outside"), at("p/b")).expect("writable");
    symlink(".", at("p/loop")).expect("writable");
    folder
}

proptest! {
    #![proptest_config(config(2048))]

    /// Any plan is refused or writes below its folder, whatever it names and whatever stands there.
    #[test]
    fn a_plan_never_writes_outside(
        generator in prop::sample::select(&["", "1"][..]),
        actions in prop::collection::vec(action(), 1..4),
    ) {
        let plan = serde_json::json!({"generator": generator, "actions": actions}).to_string();
        let Ok(plan) = Plan::parse(&plan) else { return Ok(()) };
        let folder = trap();
        let outside = tree(&folder.path().join("outside"));
        let root = Root::open(&folder.path().join("p")).expect("a folder");
        // Some are refused only now.
        let _ = apply::apply(&root, &plan);
        journal::recover(&root).expect("nothing waits");
        prop_assert!(tree(&folder.path().join("outside")) == outside, "{plan:?}");
        let beside: Vec<_> = fs::read_dir(folder.path()).expect("readable").collect();
        prop_assert_eq!(beside.len(), 2);
    }
}

/// While plans are applied, somebody turns a folder of the project into a link that leads out, and back.
#[test]
fn a_link_that_is_put_in_between_leads_nowhere() {
    let folder = trap();
    let at = |path: &str| folder.path().join(path);
    fs::remove_file(at("p/b")).expect("it is there");
    let outside = tree(&at("outside"));
    symlink(at("outside"), at("away")).expect("writable");
    let is_over = AtomicBool::new(false);
    let swap = || {
        while !is_over.load(Ordering::Relaxed) {
            // Whichever of the two is the link: one is always there.
            let _ = fs::rename(at("p/a"), at("folder"));
            let _ = fs::rename(at("away"), at("p/a"));
            let _ = fs::rename(at("p/a"), at("away"));
            let _ = fs::rename(at("folder"), at("p/a"));
        }
    };
    let root = Root::open(&at("p")).expect("a folder");
    let apply = |number: usize| {
        let plan = serde_json::json!({"actions": [
            {"type": "update", "path": "a/file", "content": format!("{number}\n")},
            {"type": "create", "path": format!("a/b/{number}/new"), "content": "new\n"},
            {"type": "conflict", "path": "a/link", "content": "clash\n"},
            {"type": "delete", "path": "a/b/file"},
        ]});
        let plan = Plan::parse(&plan.to_string()).expect("a plan");
        apply::apply(&root, &plan)
    };
    std::thread::scope(|scope| {
        scope.spawn(swap);
        for number in 0..300 {
            let _ = apply(number);
            let _ = journal::recover(&root);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    // A run that the link stopped while it was being undone is ended by the next one.
    journal::recover(&root).expect("nothing is in the way any more");
    assert_eq!(tree(&at("outside")), outside);
    apply(300).expect("the folder is there to stay");
    check_only(&at("p"), Path::new("a"));
}

/// Nothing is left of runs that were refused.
#[track_caller]
fn check_only(folder: &Path, kept: &Path) {
    let strays = tree(folder).into_iter().filter(|(path, _)| !path.starts_with(kept));
    let strays: Vec<_> =
        strays.map(|(path, _)| path).filter(|path| path.starts_with(".astgen")).collect();
    assert!(strays.is_empty(), "{strays:?}");
}
