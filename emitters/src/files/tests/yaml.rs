use super::super::yaml::{Yaml, list, map, print};
use super::*;
use serde_json::Value;
use yaml_rust2::YamlLoader;

/// What YAML 1.2 reads.
pub fn read_back(text: &str) -> Value {
    let documents =
        YamlLoader::load_from_str(text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
    let [document] = &documents[..] else { panic!("{} documents", documents.len()) };
    json(document)
}

fn json(yaml: &yaml_rust2::Yaml) -> Value {
    match yaml {
        yaml_rust2::Yaml::String(text) => Value::from(text.as_str()),
        yaml_rust2::Yaml::Integer(number) => Value::from(*number),
        yaml_rust2::Yaml::Boolean(is_on) => Value::from(*is_on),
        yaml_rust2::Yaml::Array(values) => values.iter().map(json).collect(),
        yaml_rust2::Yaml::Hash(entries) => {
            let text = |key: &yaml_rust2::Yaml| key.as_str().expect("a text").to_owned();
            entries.iter().map(|(key, value)| (text(key), json(value))).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn expected(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Text(text) | Yaml::Remarked(text, _) => Value::from(text.as_str()),
        Yaml::Number(number) => Value::from(*number),
        Yaml::Switch(is_on) => Value::from(*is_on),
        Yaml::List(values) => values.iter().map(expected).collect(),
        Yaml::Map(entries) => {
            entries.iter().map(|(key, value)| (key.clone(), expected(value))).collect()
        }
    }
}

#[test]
fn a_document_is_laid_out_in_blocks() {
    let step =
        map([("uses", Yaml::Remarked("a/b@1".to_owned(), "v1")), ("with", map([("on", true)]))]);
    let document = map([
        ("steps", list([step, list([list(["a", "b"]), "c".into()])])),
        ("none", list::<Yaml>([])),
        ("port", 8000.into()),
    ]);
    insta::assert_snapshot!(print(&document), @r#"
    steps:
      - uses: a/b@1 # v1
        with:
          "on": true
      - - - a
          - b
        - c
    none: []
    port: 8000
    "#);
}

#[test]
fn what_looks_like_something_else_is_quoted() {
    for text in [
        "yes", "No", "null", "~", "1", "0x1", "1:20", "- a", "a: b", "a #b", "", " a", "a ", "*a",
        "&a", "!a",
    ] {
        assert_eq!(print(&Yaml::from(text)), format!("{text:?}\n"));
    }
}

fn document() -> impl Strategy<Value = Yaml> {
    let leaf = prop_oneof![
        3 => hostile().prop_map(Yaml::Text),
        1 => any::<u32>().prop_map(Yaml::Number),
        1 => any::<bool>().prop_map(Yaml::Switch),
        1 => hostile().prop_map(|text| Yaml::Remarked(text, "a remark")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let entries = prop::collection::btree_map(hostile(), inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Yaml::List),
            entries.prop_map(|entries| Yaml::Map(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn documents_are_read_back(document in document()) {
        prop_assert_eq!(read_back(&print(&document)), expected(&document));
    }
}
