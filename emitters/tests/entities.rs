//! What is emitted for each entity of a spec.

use astgen_emitters::spec::{self, Entity, Spec};
use astgen_emitters::{api, models, schemas, services};
use astgen_pyast::equal::first_difference;
use astgen_pyast::{Module, parse_module, print, print_module};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};

const ACME: &str = include_str!("../../examples/acme.toml");
const EVERY_FIELD: &str = include_str!("data/every_field.toml");

#[track_caller]
fn read(source: &str) -> Spec {
    spec::read(source, "astgen.toml").unwrap_or_else(|errors| panic!("{errors:?}"))
}

#[track_caller]
fn entity<'s>(spec: &'s Spec, name: &str) -> &'s Entity {
    let found = spec.entities.iter().find(|entity| entity.names.name.as_str() == name);
    found.expect("an entity of that name")
}

/// Everything that is emitted for an entity.
fn modules(spec: &Spec, entity: &Entity) -> [Module; 4] {
    [
        models::entity::emit(spec, entity),
        schemas::entity::emit(spec, entity),
        services::entity_service::emit(spec, entity),
        api::entity::emit(spec, entity),
    ]
}

/// One snapshot a module: `model_of_project` and the like.
#[track_caller]
fn check(source: &str, name: &str) {
    let spec = read(source);
    let modules = modules(&spec, entity(&spec, name));
    for (what, module) in ["model", "schemas", "service", "routes"].into_iter().zip(modules) {
        let snapshot = format!("{what}_of_{name}");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(snapshot, print_module(&module));
        });
    }
}

#[test]
fn an_entity_with_a_limit() {
    check(ACME, "project");
}

#[test]
fn an_entity_with_guards() {
    check(ACME, "report");
}

#[test]
fn an_entity_with_every_kind_of_field() {
    check(EVERY_FIELD, "stock_item");
}

#[test]
fn an_entity_with_deferred_references() {
    check(EVERY_FIELD, "supplier");
}

#[test]
fn an_entity_that_points_at_itself() {
    check(EVERY_FIELD, "category");
}

#[test]
fn an_entity_that_is_called_like_a_variable() {
    check(EVERY_FIELD, "value");
}

#[test]
fn without_billing_nothing_names_it() {
    let spec = read(EVERY_FIELD);
    for module in spec.entities.iter().flat_map(|entity| modules(&spec, entity)) {
        let text = print_module(&module);
        for word in ["billing", "plans", "principal", "enforce_limit", "require_feature"] {
            assert!(!text.contains(word), "{word} stands in\n{text}");
        }
    }
}

/// Guards can differ by route.
#[test]
fn a_guard_stands_before_its_route_only() {
    let source = ACME.replace(
        r#"guards = ["active_subscription", { feature = "reports" }]"#,
        r#"guards.delete = ["active_subscription"]"#,
    );
    let spec = read(&source);
    let text = print_module(&api::entity::emit(&spec, entity(&spec, "report")));
    let (before, delete) = text.split_once("@router.delete").expect("the route is there");
    assert!(!before.contains("Depends(require_active_subscription)"));
    assert!(delete.contains("Depends(require_active_subscription)"));
    assert!(!text.contains("require_feature"));
}

/// Prints, parses and prints again.
fn survive(module: &Module) -> Result<(), TestCaseError> {
    let text = print_module(module);
    let parsed =
        parse_module(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
    let emitted = module.clone().into_statements();
    prop_assert_eq!(first_difference(&emitted, &parsed), None, "{}", text);
    let again = print(&parsed);
    let reparsed = parse_module(&again).expect("what is printed parses");
    prop_assert_eq!(first_difference(&parsed, &reparsed), None, "{}", text);
    prop_assert_eq!(print(&reparsed), again);
    Ok(())
}

/// A kind of field with what goes with it, and whether it can have an index.
fn kind() -> impl Strategy<Value = (String, bool)> {
    let text =
        (0..5_u32, 0..2000_u32, prop::option::of(words(5..13))).prop_map(|(min, more, default)| {
            let max = min + more + 13;
            let default = default.map_or(String::new(), |text| format!(", default = {text:?}"));
            (
                format!("type = \"text\", min_length = {min}, max_length = {max}{default}"),
                max <= 640,
            )
        });
    let bounds = |kind: &'static str, range: std::ops::RangeInclusive<i64>| {
        (range.clone(), range, any::<bool>()).prop_map(move |(a, b, has_default)| {
            let (least, most) = (a.min(b), a.max(b));
            let default = if has_default { format!(", default = {a}") } else { String::new() };
            (format!("{kind}, minimum = {least}, maximum = {most}{default}"), true)
        })
    };
    const MONEY: &str = "type = \"money\", currency = \"eur\"";
    let decimal =
        (1..=38_u8, 0..=38_u8, any::<bool>()).prop_map(|(precision, scale, has_default)| {
            let scale = scale.min(precision);
            let default = if has_default { ", default = 0" } else { "" };
            (format!("type = \"decimal\", precision = {precision}, scale = {scale}{default}"), true)
        });
    let choice = (1..9_usize, any::<bool>()).prop_map(|(count, has_default)| {
        let values: Vec<String> = (0..count).map(|number| format!("value {number}")).collect();
        let default = if has_default { ", default = \"value 0\"" } else { "" };
        (format!("type = \"enum\", values = {values:?}{default}"), true)
    });
    const SINGLE: [(&str, bool); 15] = [
        ("type = \"boolean\"", true),
        ("type = \"boolean\", default = true", true),
        ("type = \"date\"", true),
        ("type = \"date\", default = \"today\"", true),
        ("type = \"date\", default = 0001-12-31", true),
        ("type = \"datetime\"", true),
        ("type = \"datetime\", default = \"now\"", true),
        ("type = \"json\"", false),
        ("type = \"json\", default = {}", false),
        ("type = \"json\", default = []", false),
        ("type = \"uuid\"", true),
        ("type = \"email\"", true),
        ("type = \"url\"", false),
        ("type = \"url\", default = \"http://a\"", false),
        ("type = \"reference\", to = \"other\"", true),
    ];
    prop_oneof![
        text,
        bounds("type = \"integer\"", i64::MIN..=i64::MAX),
        bounds("type = \"integer\"", -9..=9),
        bounds(MONEY, -9_007_199_254_740_991..=9_007_199_254_740_991),
        decimal,
        choice,
        prop::sample::select(&SINGLE[..])
            .prop_map(|(kind, has_index)| (kind.to_owned(), has_index)),
    ]
}

/// A text that is hard on code, in as many characters.
fn words(length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select("ab {}%\\\"'#é日🙂".chars().collect::<Vec<_>>()),
        length,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

fn field() -> impl Strategy<Value = String> {
    let said = (prop::option::of(words(1..200)), prop::option::of(words(1..20)));
    (kind(), any::<[bool; 3]>(), said).prop_map(|((kind, can_index), [optional, unique, index], said)| {
        let (unique, index) = (unique && can_index, index && can_index);
        let description = said.0.map_or(String::new(), |text| format!(", description = {text:?}"));
        let title = said.1.map_or(String::new(), |text| format!(", title = {text:?}"));
        format!(
            "{{ {kind}, optional = {optional}, unique = {unique}, index = {index}{description}{title} }}"
        )
    })
}

/// References in a circle, which only optional ones can make, and one to itself.
fn references() -> impl Strategy<Value = String> {
    let action = prop::sample::select(&["cascade", "restrict", "set_null"][..]);
    [action.clone(), action.clone(), action].prop_map(|[there, back, own]| {
        let field = |to: &str, on_delete: &str| {
            format!("{{ type = \"reference\", to = \"{to}\", optional = true, on_delete = \"{on_delete}\" }}")
        };
        format!(
            "entities.other.fields.back = {}\nentities.other.fields.up = {}\nentities.ENTITY.fields.there = {}\n",
            field("ENTITY", back),
            field("other", own),
            field("other", there),
        )
    })
}

const ENTITIES: [&str; 9] =
    ["thing", "value", "lock", "name", "used", "self", "depends", "flush", "page_request"];
const FIELDS: [&str; 14] = [
    "title",
    "page",
    "create",
    "update",
    "read",
    "absent",
    "utcnow",
    "text_enum",
    "line_1",
    "line1",
    "value",
    "lock",
    "no_nul",
    "class_name",
];

fn a_spec() -> impl Strategy<Value = String> {
    let names = prop::sample::subsequence(&FIELDS[..], 1..FIELDS.len());
    let fields = names.prop_flat_map(|names| {
        let count = names.len();
        (Just(names), prop::collection::vec(field(), count))
    });
    (prop::sample::select(&ENTITIES[..]), fields, references(), words(1..300)).prop_map(
        |(entity, (names, fields), references, description)| {
            let fields = names.iter().zip(fields);
            let fields =
                fields.map(|(name, field)| format!("entities.{entity}.fields.{name} = {field}\n"));
            format!(
                "project.name = \"a\"\nentities.{entity}.description = {description:?}\n{}{}",
                fields.collect::<String>(),
                references.replace("ENTITY", entity)
            )
        },
    )
}

fn config() -> Config {
    let seeds =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../proptest-regressions/emitters-entities.txt");
    Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds))),
        ..Config::with_cases(128)
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_emitted_for_any_fields_parses_and_prints_the_same_again(source in a_spec()) {
        let spec = match spec::read(&source, "astgen.toml") {
            Ok(spec) => spec,
            // `update` cannot be an enum: its class would be that of the schema.
            Err(errors) if errors.errors.iter().all(|error| error.problem.code() == "spec::clash") => {
                return Err(TestCaseError::reject("two classes have one name"));
            }
            Err(errors) => return Err(TestCaseError::fail(format!("{errors:?}\n{source}"))),
        };
        for module in spec.entities.iter().flat_map(|entity| modules(&spec, entity)) {
            survive(&module)?;
        }
    }
}
