use super::*;

const ACME: &str = include_str!("../../../examples/acme.toml");
const MINIMAL: &str = include_str!("../../../examples/minimal.toml");

/// The rendered errors, or a word that there are none.
fn rendered(source: &str) -> String {
    let Err(errors) = read(source, "astgen.toml") else {
        return "no error".to_owned();
    };
    let mut text = String::new();
    miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .render_report(&mut text, &errors)
        .expect("rendering a report to a String");
    text
}

#[test]
fn examples_are_good() {
    assert_eq!(rendered(ACME), "no error");
    assert_eq!(rendered(MINIMAL), "no error");
}
