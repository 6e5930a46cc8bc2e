//! Merge cases as data: each folder holds `base.py`, `ours.py`, `theirs.py`, and in `want.json` the results that
//! are right, layout aside, or `"conflict"`.

use astgen::merge::conflict::Labels;
use astgen::merge::{Language, Merged, Versions, merge};
use astgen_pyast::{first_difference, parse_module};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct Wanted {
    want: Want,
    must_contain: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Want {
    OneOf(Vec<String>),
    Word(#[expect(dead_code, reason = "only `conflict` stands there")] String),
}

fn merge_case(folder: &Path) -> Merged {
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("the case is whole");
    let (base, ours, theirs) = (read("base.py"), read("ours.py"), read("theirs.py"));
    let versions = Versions { base: &base, ours: &ours, theirs: &theirs };
    merge(Language::Python, versions, &Labels::default())
}

fn wanted(folder: &Path) -> Wanted {
    let text = fs::read_to_string(folder.join("want.json")).expect("the case is whole");
    serde_json::from_str(&text).expect("want.json is what this test reads")
}

/// What is wrong with the result of a case.
fn fault(folder: &Path) -> Option<String> {
    let merged = merge_case(folder);
    let wanted = wanted(folder);
    let missing = wanted.must_contain.iter().find(|text| !merged.text.contains(*text));
    if let Some(missing) = missing {
        return Some(format!("`{missing}` is lost:\n{}", merged.text));
    }
    match wanted.want {
        Want::Word(_) if merged.conflicts.is_empty() => {
            Some(format!("clean, and should not be:\n{}", merged.text))
        }
        Want::Word(_) => None,
        Want::OneOf(_) if !merged.conflicts.is_empty() => {
            Some(format!("{}:\n{}", merged.conflicts[0], merged.text))
        }
        Want::OneOf(texts) => {
            let Ok(tree) = parse_module(&merged.text) else {
                return Some(format!("not Python:\n{}", merged.text));
            };
            let is_same = |text: &String| {
                let other = parse_module(text).expect("what is wanted is Python");
                first_difference(&tree, &other).is_none()
            };
            (!texts.iter().any(is_same)).then(|| format!("not what is wanted:\n{}", merged.text))
        }
    }
}

fn folders(of: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/merge-cases").join(of);
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .expect("the cases are there")
        .map(|entry| entry.expect("readable").path())
        .collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

#[test]
fn every_case_comes_out_right() {
    let faults: Vec<String> = folders("working")
        .iter()
        .filter_map(|folder| fault(folder).map(|fault| format!("{}: {fault}", folder.display())))
        .collect();
    assert!(faults.is_empty(), "{} cases are wrong\n{}", faults.len(), faults.join("\n"));
}
