//! Laws of printing and parsing, on generated trees.

use astgen_pyast::{arbitrary, erase, first_difference, on_large_stack, parse_module, print};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rustpython_ast::Stmt;

fn config() -> ProptestConfig {
    // Beside all other seeds, not beside this file.
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../proptest-regressions/pyast-roundtrip.txt");
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds))),
        cases: 200,
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    }
}

fn keeps_its_meaning(body: &[Stmt<()>]) -> Result<(), TestCaseError> {
    let text = print(body);
    let parsed = match parse_module(&text) {
        Ok(parsed) => parsed,
        Err(failure) => return Err(TestCaseError::fail(format!("{failure}\n{text}"))),
    };
    prop_assert_eq!(first_difference(body, &parsed), None, "{}", text);
    prop_assert_eq!(print(&erase(&parsed)), text, "printed again");
    Ok(())
}

/// Strategies recurse as deeply as trees do.
fn hold(law: fn(&[Stmt<()>]) -> Result<(), TestCaseError>) {
    on_large_stack(|| proptest!(config(), |(body in arbitrary::module())| law(&body)?));
}

#[test]
fn modules_keep_their_meaning() {
    hold(keeps_its_meaning);
}

#[test]
fn lines_have_no_trailing_space() {
    hold(|body| {
        let text = print(body);
        prop_assert!(text.ends_with('\n') && !text.ends_with("\n\n"));
        prop_assert!(text.lines().all(|line| !line.ends_with([' ', '\t'])), "{}", text);
        Ok(())
    });
}

#[test]
fn no_text_hides_in_the_output() {
    hold(|body| {
        let hides = |char: char| {
            char != '\n' && (char.is_control() || "\u{202e}\u{200b}\u{feff}\u{2028}".contains(char))
        };
        prop_assert!(!print(body).contains(hides));
        Ok(())
    });
}
