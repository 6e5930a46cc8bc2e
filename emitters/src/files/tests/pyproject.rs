use super::super::pyproject::emit;
use super::*;
use toml::{Table, Value};

fn parsed(spec: &Spec) -> Table {
    emit(spec).text().parse().expect("TOML")
}

#[test]
fn prometheus_comes_with_metrics() {
    let mut spec = minimal();
    assert!(emit(&spec).text().contains("prometheus-client"));
    spec.observability.metrics = false;
    assert!(!emit(&spec).text().contains("prometheus-client"));
}

#[test]
fn the_python_of_the_spec_is_everywhere() {
    let mut spec = minimal();
    spec.project.python = spec::PythonVersion::V3_13;
    let document = parsed(&spec);
    assert_eq!(document["project"]["requires-python"].as_str(), Some(">=3.13"));
    assert_eq!(document["tool"]["pyright"]["pythonVersion"].as_str(), Some("3.13"));
    assert_eq!(document["tool"]["ruff"]["target-version"].as_str(), Some("py313"));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn texts_are_read_back_and_change_nothing_else(text in hostile()) {
        let mut document = parsed(&with_texts(acme(), &text));
        prop_assert_eq!(document["project"]["description"].as_str(), Some(text.as_str()));
        let Some(Value::Table(project)) = document.get_mut("project") else {
            unreachable!("it was just read")
        };
        project.insert("description".to_owned(), Value::String("Acme Tracker".to_owned()));
        prop_assert_eq!(document, parsed(&acme()));
    }
}
