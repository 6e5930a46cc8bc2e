use super::super::entity_diagram::{Picture, picture};
use super::super::markdown::{Block, print};
use super::super::mermaid::{Diagram, EntityDiagram, LONGEST};
use super::*;

fn drawn(spec: &Spec) -> (Picture, EntityDiagram) {
    let picture = picture(spec);
    match picture.block.clone() {
        Block::Diagram(Diagram::Entities(entities)) => (picture, entities),
        other => panic!("{other:?} is no diagram of entities"),
    }
}

/// As many entities as asked for, of which every tenth is pointed at by the nine behind it.
fn many(count: usize, fields: usize) -> Spec {
    let entity = |number: usize| {
        let hub = number / 10 * 10;
        let reference = format!(
            "hub = {{ type = \"reference\", to = \"thing_{hub}\", on_delete = \"restrict\" }}\n"
        );
        let reference = if number == hub { "" } else { &reference };
        let fields = (0..fields).map(|field| format!("field_{field} = {{ type = \"integer\" }}\n"));
        let fields: String = fields.collect();
        format!(
            "[entities.thing_{number}.fields]\nname = {{ type = \"text\" }}\n{reference}{fields}"
        )
    };
    let entities: String = (0..count).map(entity).collect();
    read(&format!("[project]\nname = \"many\"\n{entities}"))
}

#[test]
fn references_have_the_counts_of_their_fields() {
    let every_field = read(include_str!("../../../tests/data/every_field.toml"));
    let text = print(&[picture(&every_field).block]);
    let relations: Vec<&str> =
        text.lines().filter(|line| line.contains(" : ")).map(str::trim).collect();
    insta::assert_snapshot!(relations.join("\n"), @r#"
    "organizations" ||--o{ "memberships" : "organization_id, cascade"
    "users" ||--o{ "memberships" : "user_id, cascade"
    "organizations" ||--o{ "files" : "organization_id, cascade"
    "users" |o--o{ "files" : "uploader_id, set null"
    "organizations" ||--o{ "categories" : "organization_id, cascade"
    "categories" |o--o{ "categories" : "parent_id, restrict"
    "organizations" ||--o{ "suppliers" : "organization_id, cascade"
    "files" ||--o{ "suppliers" : "contract_id, restrict"
    "files" |o--o| "suppliers" : "logo_id, set null"
    "stock_items" |o--o{ "suppliers" : "best_item_id, set null"
    "stock_items" |o--o| "suppliers" : "next_item_id, restrict"
    "categories" ||--o{ "stock_items" : "category_id, restrict"
    "suppliers" ||--o{ "stock_items" : "supplier_id, cascade"
    "stock_items" |o--o{ "stock_items" : "variant_of_id, set null"
    "stock_items" ||--o{ "values" : "stock_item_id, cascade"
    "values" |o--o{ "values" : "replies_to_id, cascade"
    "#);
}

#[test]
fn everything_is_drawn_of_sixty_entities() {
    let (picture, diagram) = drawn(&many(60, 3));
    assert_eq!((picture.entities, picture.has_attributes), (60, true));
    assert!(diagram.entities.iter().all(|entity| !entity.attributes.is_empty()));
}

#[test]
fn of_many_entities_those_with_most_references_are_drawn() {
    let (picture, diagram) = drawn(&many(1_000, 1));
    assert_eq!((picture.entities, picture.has_attributes), (60, false));
    let names = diagram.entities.iter().map(|entity| entity.name.as_str());
    let names: Vec<&str> = names.filter(|name| name.starts_with("thing")).collect();
    assert!(names.iter().all(|name| name.trim_end_matches('s').ends_with('0')), "{names:?}");
    assert_eq!((names.len(), names[0], names[59]), (60, "thing_0s", "thing_590s"));
}

#[test]
fn columns_that_are_too_many_are_left_out() {
    let (picture, diagram) = drawn(&many(60, 40));
    assert_eq!((picture.entities, picture.has_attributes), (60, false));
    assert!(print(&[picture.block]).len() <= LONGEST + 20);
    assert!(diagram.entities.iter().all(|entity| entity.attributes.is_empty()));
}

#[test]
fn the_readme_says_what_is_not_drawn() {
    let readme = |spec: &Spec| backend_readme::emit(spec).text();
    assert!(readme(&many(61, 1)).contains("how the 60 of 61 hang together"));
    assert!(readme(&many(60, 40)).contains("their columns are too many"));
}
