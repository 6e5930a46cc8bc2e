//! The first `astgen.toml` of a project.

use super::*;
use proptest::prelude::*;

#[test]
fn the_starter_is_a_good_spec() {
    let spec = good(&starter("acme-tracker"));
    assert_eq!(spec.project.name, "acme-tracker");
    assert_eq!(spec.project.title, "Acme Tracker");
    assert!(spec.billing.is_some() && !spec.entities.is_empty());
}

/// Prose has a blank after `#`, code has none.
#[test]
fn what_the_starter_comments_out_is_good_too() {
    let starter = starter("acme");
    let is_code =
        |line: &&str| line.starts_with("#[") || line.starts_with("#g") || line.starts_with("#f");
    assert_eq!(starter.lines().filter(is_code).count(), 4);
    let uncommented: Vec<&str> =
        starter.lines().map(|line| if is_code(&line) { &line[1..] } else { line }).collect();
    assert_eq!(good(&uncommented.join("\n")).entities.len(), 3);
}

#[test]
fn a_folder_name_becomes_a_project_name() {
    for (folder, name) in [
        ("Acme Tracker", "acme-tracker"),
        ("my_app", "my-app"),
        ("日本", "product"),
        ("class", "product"),
    ] {
        assert_eq!(good(&starter(folder)).project.name, name);
    }
}

proptest! {
    #![proptest_config(properties::config())]

    #[test]
    fn any_folder_gives_a_good_starter(folder in any::<String>()) {
        good(&starter(&folder));
    }
}
