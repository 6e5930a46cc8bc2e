use super::super::dependency::{Dependency, development, runtime};
use super::super::lock::{Package, closure, packages};
use super::super::requirements;
use super::*;

fn package(name: &str) -> &'static Package {
    let found = packages().iter().find(|package| package.name == name);
    found.unwrap_or_else(|| panic!("{name} is not locked: run tools/lock.py"))
}

fn version(text: &str) -> Vec<u32> {
    text.split('.').map(|part| part.parse().expect("a release version")).collect()
}

/// What a project needs that uses all that a spec can switch on.
fn every_dependency() -> Vec<Dependency> {
    let mut spec = acme();
    spec.observability.tracing = true;
    runtime(&spec).into_iter().chain(development(&spec)).collect()
}

#[test]
fn every_dependency_is_locked_within_its_bounds() {
    for dependency in every_dependency() {
        let locked = version(&package(dependency.name).version);
        let (from, below) = (version(dependency.from), version(dependency.below));
        assert!(from <= locked && locked < below, "{dependency:?} is locked at {locked:?}");
    }
}

#[test]
fn nothing_is_locked_that_no_dependency_needs() {
    let needed = closure(every_dependency().iter().map(|dependency| dependency.name));
    assert_eq!(needed.len(), packages().len());
}

#[test]
fn packages_are_sorted_and_have_hashes() {
    assert!(packages().is_sorted_by(|one, other| one.name < other.name));
    for package in packages() {
        assert!(!package.hashes.is_empty(), "{}", package.name);
        for hash in &package.hashes {
            let digest = hash.strip_prefix("sha256:").expect("a SHA-256");
            assert!(digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()));
        }
    }
}

#[test]
fn no_index_is_named() {
    assert!(!include_str!("../lock.json").contains("//"));
}

/// The requirements without the hashes.
fn pins(file: &Generated) -> String {
    let text = file.text();
    let lines = text.lines().filter(|line| !line.starts_with("    --hash="));
    lines.map(|line| format!("{}\n", line.trim_end_matches(" \\"))).collect()
}

#[test]
fn requirements_of_acme() {
    let [runtime, all] =
        <[Generated; 2]>::try_from(requirements::emit(&acme())).expect("two files");
    insta::assert_snapshot!("requirements", pins(&runtime));
    insta::assert_snapshot!("requirements_dev", pins(&all));
}

#[test]
fn what_a_spec_switches_off_is_not_installed() {
    let runtime_of = |spec| pins(&requirements::emit(&spec)[0]);
    let (with, without) = (runtime_of(acme()), runtime_of(minimal()));
    let only: Vec<&str> = with.lines().filter(|line| !without.contains(line)).collect();
    let names = only.iter().filter_map(|line| line.split("==").next());
    let names: Vec<&str> = names.collect();
    insta::assert_snapshot!(
        "switched_off",
        names.join(
            "
"
        )
    );
    assert!(without.lines().all(|line| with.contains(line)));
}

#[test]
fn every_hash_of_an_entry_is_continued_but_the_last() {
    let text = requirements::emit(&minimal())[0].text();
    let lines: Vec<&str> = text.lines().collect();
    for pair in lines.windows(2) {
        let is_continued = pair[0].ends_with(" \\");
        assert_eq!(is_continued, pair[1].starts_with("    --hash=sha256:"), "{pair:?}");
    }
}
