mod diagnostics;
mod properties;
mod resolved;
mod scale;
mod schema;
mod starter;

use super::*;

const ACME: &str = include_str!("../../../../examples/acme.toml");
const MINIMAL: &str = include_str!("../../../../examples/minimal.toml");

/// The errors as people see them, or that there are none.
fn rendered(source: &str) -> String {
    match read(source, "astgen.toml") {
        Ok(_) => "no error".to_owned(),
        Err(errors) => render(&errors),
    }
}

fn render(errors: &SpecErrors) -> String {
    let mut text = String::new();
    miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .render_report(&mut text, errors)
        .expect("rendering a report to a String");
    text
}

#[track_caller]
fn good(source: &str) -> Spec {
    match read(source, "astgen.toml") {
        Ok(spec) => spec,
        Err(errors) => panic!("{}", render(&errors)),
    }
}
