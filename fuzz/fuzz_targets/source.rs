//! Any text is read by all that reads Python, and printed again with the same tree where it is Python.
#![no_main]

use astgen::audit::audit;
use astgen::outline::outline;
use astgen::regions::regions;
use astgen_pyast::{first_difference, on_large_stack, parse_module, print};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    regions(text);
    outline(text);
    let file = vec![("app/a.py".to_owned(), text.to_owned())];
    assert!(audit(&file, &file).generated.iter().all(|route| route.missing.is_empty()));
    on_large_stack(|| {
        if let Ok(tree) = parse_module(text) {
            let printed = print(&tree);
            let again = parse_module(&printed).expect("what is printed is Python");
            assert_eq!(first_difference(&tree, &again), None, "{printed}");
            assert_eq!(print(&again), printed);
        }
    });
});
