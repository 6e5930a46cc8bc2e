use super::revision::later_revision;
use super::schema::Schema;
use super::{env, initial};
use crate::spec::{self, Spec};
use astgen_pyast::print_module;

const ACME: &str = include_str!("../../../examples/acme.toml");
const MINIMAL: &str = include_str!("../../../examples/minimal.toml");

#[track_caller]
fn read(source: &str) -> Spec {
    match spec::read(source, "astgen.toml") {
        Ok(spec) => spec,
        Err(errors) => panic!("{errors:?}"),
    }
}

#[track_caller]
fn migration(source: &str) -> String {
    print_module(&initial::emit(&read(source)))
}

/// The migration of a project with these entities.
#[track_caller]
fn with_entities(entities: &str) -> String {
    migration(&format!("[project]\nname = \"test\"\n{entities}"))
}

/// The statements from the one that begins with `start` to the next empty line.
#[track_caller]
fn part<'a>(migration: &'a str, start: &str) -> &'a str {
    let at = migration.find(&format!("\n{start}")).unwrap_or_else(|| panic!("no {start}"));
    let part = &migration[at + 1..];
    part.split("\n\n\n").next().unwrap_or(part)
}

/// The migration with single spaces.
fn squeezed(migration: &str) -> String {
    migration.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The column `x` of an entity.
#[track_caller]
fn check_column(field: &str, expected: &str) {
    let source = format!("[entities.thing]\nfields.x = {{ {field} }}\n");
    let migration = with_entities(&source);
    let column = format!("sa.Column(\"x\", {expected})");
    assert!(squeezed(&migration).contains(&column), "{migration}");
}

#[test]
fn acme() {
    insta::assert_snapshot!("initial_acme", migration(ACME));
    insta::assert_snapshot!("env", print_module(&env::emit(&read(ACME))));
}

#[test]
fn without_billing_no_table_has_a_column_of_it() {
    let migration = migration(MINIMAL);
    for word in ["stripe", "billing", "plan", "subscription", "trial"] {
        assert!(!migration.contains(word), "{word}");
    }
    insta::assert_snapshot!("initial_minimal", migration);
}

#[test]
fn every_kind_has_its_type() {
    check_column("type = \"text\"", "sa.String(255), nullable=False");
    check_column("type = \"text\", optional = true", "sa.String(255), nullable=True");
    check_column(
        "type = \"integer\", minimum = -2147483648, maximum = 2147483647",
        "sa.Integer(), nullable=False",
    );
    check_column(
        "type = \"integer\", minimum = 0, maximum = 2147483648",
        "sa.BigInteger(), nullable=False",
    );
    check_column("type = \"integer\"", "sa.BigInteger(), nullable=False");
    check_column("type = \"boolean\"", "sa.Boolean(), nullable=False");
    check_column("type = \"date\"", "sa.Date(), nullable=False");
    check_column("type = \"datetime\"", "sa.DateTime(timezone=True), nullable=False");
    check_column("type = \"enum\", values = [\"a\"]", "sa.String(32), nullable=False");
    check_column("type = \"json\"", "sa.JSON(), nullable=False");
    check_column("type = \"uuid\"", "sa.Uuid(), nullable=False");
    check_column("type = \"email\"", "sa.String(254), nullable=False");
    check_column("type = \"url\"", "sa.String(2048), nullable=False");
    check_column("type = \"money\", currency = \"usd\"", "sa.BigInteger(), nullable=False");
}

#[test]
fn a_decimal_is_counted_on_sqlite() {
    let migration = with_entities(
        "[entities.thing]\nfields.x = { type = \"decimal\", precision = 9, scale = 3 }",
    );
    let kind = "sa.Numeric(9, 3).with_variant(sa.BigInteger(), \"sqlite\")";
    assert!(migration.contains(kind), "{migration}");
}

#[test]
fn a_long_value_makes_every_enum_wide() {
    let value = "v".repeat(33);
    let field = format!("type = \"enum\", values = [\"{value}\"]");
    check_column(&field, "sa.String(64), nullable=False");
}

#[test]
fn names_that_postgresql_would_cut_off_are_cut_by_sqlalchemy() {
    // The names of its foreign key and of its index have 63 and 77 bytes.
    let table = "some_things_with_a_name_as_long_as_it_may_be";
    let migration = with_entities(&format!(
        "[entities.some_thing]\nplural = \"{table}\"\nfields.x = {{ type = \"text\" }}\n"
    ));
    let words = squeezed(&migration);
    assert!(words.contains(&format!("op.f( \"ix_{table}_organization_id_created_at_id\" )")));
    assert!(words.contains(&format!("name=\"fk_{table}_organization_id\"")), "{words}");
}

#[test]
fn tables_that_point_at_each_other_are_made_before_their_keys() {
    let migration = with_entities(
        "[entities.team.fields]\nlead = { type = \"reference\", to = \"person\", optional = true }\n\
         [entities.person.fields]\nteam = { type = \"reference\", to = \"team\" }\n",
    );
    let upgrade = part(&migration, "def upgrade");
    assert!(upgrade.contains("create_persons()\n    add_foreign_keys()\n"), "{upgrade}");
    let downgrade = part(&migration, "def downgrade");
    let first = "drop_foreign_keys()\n    op.drop_table(\"persons\")\n    op.drop_table(\"teams\")";
    assert!(downgrade.contains(first), "{downgrade}");
    assert!(!part(&migration, "def create_teams").contains("persons"));
    let addition = part(&migration, "def add_foreign_keys");
    assert!(addition.contains("with op.batch_alter_table(\"teams\") as batch:"), "{addition}");
    assert!(addition.contains("\"fk_teams_organization_id_lead_id\""), "{addition}");
}

#[test]
fn without_a_cycle_no_key_is_added_later() {
    assert!(!migration(ACME).contains("foreign_keys()"));
}

#[test]
fn what_is_set_null_keeps_its_tenant() {
    let migration = with_entities(
        "[entities.task.fields]\nparent = { type = \"reference\", to = \"task\", \
         on_delete = \"set_null\", optional = true }\n",
    );
    let table = squeezed(part(&migration, "def create_tasks"));
    for key in [
        r#"["parent_id"], ["tasks.id"], name="fk_tasks_parent_id", ondelete="SET NULL" )"#,
        r#"["organization_id", "parent_id"], ["tasks.organization_id", "tasks.id"], name="fk_tasks_organization_id_parent_id", deferrable=True, initially="DEFERRED", )"#,
    ] {
        assert!(table.contains(key), "{table}");
    }
}

#[test]
fn a_table_with_a_reserved_name_is_isolated_too() {
    let migration = with_entities("[entities.reference.fields]\nx = { type = \"text\" }\n");
    assert!(migration.contains("TENANT_TABLES = ('\"references\"',)"), "{migration}");
    assert!(migration.contains("op.drop_table(\"references\")"), "{migration}");
}

#[test]
fn tenants_are_isolated_only_where_the_spec_says_so() {
    let entity = "[entities.note]\nfields.x = { type = \"text\" }\n";
    for source in [entity, ""] {
        let migration = with_entities(&format!("[tenancy]\nrow_level_security = false\n{source}"));
        for word in ["TENANT_TABLES", "isolate_tenants", "get_bind", "ROW LEVEL SECURITY", "wall"] {
            assert!(!migration.contains(word), "{word} in {migration}");
        }
    }
}

const FIRST: &str = include_str!("../../../tests/migrations/first.toml");
const WIDER: &str = include_str!("../../../tests/migrations/wider.toml");
const NARROWER: &str = include_str!("../../../tests/migrations/narrower.toml");

/// The revision that makes the tables of one spec those of another.
#[track_caller]
fn later(before: &str, after: &str) -> String {
    let [before, after] = [before, after].map(|source| Schema::of(&read(source)));
    let revision = later_revision(&before, &after, &["0001".to_owned()], 2);
    revision.expect("the tables change").file.text()
}

#[test]
fn later_revisions() {
    insta::assert_snapshot!("wider", later(FIRST, WIDER));
    insta::assert_snapshot!("narrower", later(FIRST, NARROWER));
}

#[test]
fn a_revision_joins_two_heads() {
    let [before, after] = [FIRST, WIDER].map(|source| Schema::of(&read(source)));
    let heads = ["a".to_owned(), "b".to_owned()];
    let revision = later_revision(&before, &after, &heads, 12).expect("the tables change");
    assert!(revision.file.text().contains("down_revision = (\"a\", \"b\")"));
    assert!(revision.file.path.contains("/0012_"));
}

#[test]
fn a_schema_that_is_no_schema_is_not_read() {
    let text = Schema::of(&read(FIRST)).text();
    assert!(Schema::parse(&text).is_some());
    for (from, to) in [("\"customers\"", "\"customers; DROP\""), ("\"format\": 1", "\"format\": 2")]
    {
        assert!(text.contains(from));
        assert_eq!(Schema::parse(&text.replace(from, to)), None);
    }
}
