//! The page of `astgen diff --html` in a real browser: `cargo test --features browser`. Needs `chromium` and
//! `chromedriver` on the path, or `ASTGEN_CHROMIUM` and `ASTGEN_CHROMEDRIVER` to name them.

mod command;
#[path = "browser/driver.rs"]
mod driver;

use command::{astgen, text};
use driver::Browser;
use serde_json::json;
use std::fs;
use tempfile::TempDir;

const SPEC: &str = "[project]\nname = \"notes\"\n[entities.note.fields]\n\
    title = { type = \"text\", max_length = 120 }\n";
const MODEL: &str = "backend/app/models/note.py";
const SCHEMAS: &str = "backend/app/schemas/note.py";

/// A project with a file in conflict, files that change and one that comes; its page.
fn page() -> TempDir {
    let folder = command::with_spec(SPEC);
    let run = |args: &[&str]| {
        let output = astgen(folder.path(), args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", text(&output.stderr));
    };
    run(&["build", "--out", "p"]);
    let edit = |path: &str, from: &str, to: &str| {
        let path = folder.path().join("p").join(path);
        let before = fs::read_to_string(&path).expect("readable");
        assert!(before.contains(from));
        fs::write(path, before.replace(from, to)).expect("writable");
    };
    edit(MODEL, "String(120))", "String(64))  # <script>document.title = \"evil\"</script>");
    let changed =
        SPEC.replace("120", "200") + "[entities.tag.fields]\nlabel = { type = \"boolean\" }\n";
    fs::write(folder.path().join("astgen.toml"), changed).expect("writable");
    run(&["diff", "p", "--html", "review.html"]);
    folder
}

#[test]
fn the_page_shows_conflicts_first_and_a_click_opens_a_file() {
    let folder = page();
    let browser = Browser::start();
    browser.open(&format!("file://{}", folder.path().join("review.html").display()));

    assert_eq!(browser.value("return document.title"), "What the plan changes in notes");
    assert_eq!(browser.value("return document.querySelector('details.file').id"), MODEL);
    let shown = "return [...document.querySelectorAll('details.file')].filter(it => it.open).map(it => it.id)";
    assert_eq!(browser.value(shown), json!([MODEL]));
    let conflict = browser.text("details.file[open]");
    for part in ["conflict", "Note.title", "String(64)", "<script>document.title", "String(200)"] {
        assert!(conflict.contains(part), "{part} is not in\n{conflict}");
    }
    // What was stands on the left of what comes.
    let edge = |side: &str| {
        let script =
            format!("return document.querySelector('td.{side}').getBoundingClientRect().left");
        browser.value(&script).as_f64().expect("a number")
    };
    assert!(edge("removed") < edge("added"));

    let file = format!("details[id='{SCHEMAS}']");
    let is_shown = format!("return document.querySelector(\"{file} table\").checkVisibility()");
    assert_eq!(browser.value(&is_shown), json!(false));
    browser.click(&format!("{file} > summary"));
    let opened = browser.text(&file);
    assert!(opened.contains("NoteTitle") && opened.contains("max_length=200"), "{opened}");
    assert_eq!(browser.value(&is_shown), json!(true));
    browser.click(&format!("{file} > summary"));
    assert_eq!(browser.value(&is_shown), json!(false));

    // Nothing is fetched, and nothing is run.
    assert_eq!(browser.value("return performance.getEntriesByType('resource').length"), json!(0));
    assert_eq!(browser.value("return document.scripts.length"), json!(0));
}
