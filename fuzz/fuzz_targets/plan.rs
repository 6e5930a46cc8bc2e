//! Any bytes are a plan or they are refused; a plan is written as it was read, and none of its paths leads out.
#![no_main]

use astgen::plan::Plan;
use libfuzzer_sys::fuzz_target;
use std::path::{Component, Path};

fuzz_target!(|bytes: &[u8]| {
    let Ok(plan) = Plan::parse_bytes(bytes) else { return };
    let again = Plan::parse(&plan.text()).expect("what is written can be read");
    assert_eq!(again, plan);
    for action in &plan.actions {
        let paths = [Some(&action.path), action.generated_path.as_ref()];
        for path in paths.into_iter().flatten() {
            let path = Path::new(path.as_str());
            let is_inside = |part: Component<'_>| match part {
                Component::Normal(name) => name != ".git" && name != ".astgen",
                _ => false,
            };
            assert!(path.components().all(is_inside), "{} leads out", path.display());
        }
    }
    let conflicts = plan.conflicts_text();
    assert!(serde_json::from_str::<astgen::plan::Conflicts>(&conflicts).is_ok());
});
