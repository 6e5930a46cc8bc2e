//! Big and absurd specs.

use super::*;
use std::fmt::Write;

/// A spec of many entities, each of which points at the one before.
fn many(count: usize) -> String {
    let mut source = "[project]\nname = \"big\"\n".to_owned();
    for number in 0..count {
        write!(
            source,
            "\n[entities.thing_{number}]\nfields.title = {{ type = \"text\", max_length = 120 }}\n\
             fields.state = {{ type = \"enum\", values = [\"open\", \"closed\"], default = \"open\" }}\n"
        )
        .expect("writing to a String");
        if number > 0 {
            let before = number - 1;
            writeln!(source, "fields.before = {{ type = \"reference\", to = \"thing_{before}\" }}")
                .expect("writing to a String");
        }
    }
    source
}

#[test]
fn ten_thousand_entities_are_read() {
    assert_eq!(good(&many(10_000)).entities.len(), 10_000);
}

#[test]
fn of_many_errors_the_first_are_kept() {
    let source = many(10_000).replace("to = \"thing_", "to = \"thing-");
    let errors = read(&source, "astgen.toml").expect_err("unknown entities");
    assert_eq!((errors.errors.len(), errors.omitted), (100, 9_899));
    assert!(render(&errors).contains("astgen.toml has 9999 errors, of which these are the first"));
}

#[test]
fn an_oversized_spec_is_refused() {
    let source = format!("{}# {}", MINIMAL, " ".repeat(MAX_BYTES));
    insta::assert_snapshot!(rendered(&source), @r"
      × astgen.toml has 1 error

    Error: spec::too_large

      × the spec has more than 8388608 bytes
       ╭─[astgen.toml:1:1]
       ╰────
    ");
}

#[test]
fn deep_nesting_is_refused_without_a_crash() {
    let dotted = vec!["a"; 79].join(".");
    let tables = format!("{}1{}", format!("{{ {dotted} = ").repeat(79), " }".repeat(79));
    for source in [
        format!("a = {}", "[".repeat(1_000_000)),
        format!("a = {}", "{ a = ".repeat(100_000)),
        format!("[{}]", vec!["a"; 100_000].join(".")),
        format!("{dotted} = {tables}"),
        format!("[{dotted}]\n{dotted} = {tables}"),
        format!("[[{dotted}]]\n").repeat(1_000),
    ] {
        assert!(read(&source, "astgen.toml").is_err());
    }
}
