//! `backend/migrations/schema.json`: the tables that the generated migrations make together. It is how the
//! next build knows which migration a changed spec asks for.

use super::entities::entity_table;
use super::fixed::fixed_tables;
use super::table::Table;
use crate::spec::Spec;
use crate::{Content, Generated};
use astgen_pyast::Name;
use serde::{Deserialize, Serialize};

/// Where the file is, relative to the project's folder.
pub const SCHEMA: &str = "backend/migrations/schema.json";

/// The version of the format that this astgen writes.
const FORMAT: u32 = 1;

/// The tables of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    format: u32,
    /// The tables, such that a table comes after those it points at, deferred foreign keys aside.
    pub tables: Vec<Table>,
}

impl Schema {
    /// The tables that a spec asks for.
    #[must_use]
    pub fn of(spec: &Spec) -> Schema {
        let fixed = fixed_tables(spec).into_iter().map(|(_, table)| table);
        let entities = spec.in_creation_order().map(|entity| entity_table(entity, spec));
        Schema { format: FORMAT, tables: fixed.chain(entities).collect() }
    }

    /// Reads the file; `None` when it is not one that astgen wrote.
    ///
    /// ```
    /// use astgen_emitters::Schema;
    /// let spec = astgen_emitters::spec::read("[project]\nname = \"notes\"\n", "astgen.toml").unwrap();
    /// let schema = Schema::of(&spec);
    /// assert_eq!(Schema::parse(&schema.text()).map(|it| it.text()), Some(schema.text()));
    /// assert_eq!(Schema::parse("{}"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Schema> {
        let schema: Schema = serde_json::from_str(text).ok()?;
        let is_name = |name: &String| Name::parse(name).is_ok();
        let is_plain = |table: &Table| {
            let keys = table
                .foreign_keys
                .iter()
                .flat_map(|key| key.columns.iter().chain(&key.target_columns).chain([&key.target]));
            let indexes =
                table.indexes.iter().flat_map(|index| index.columns.iter().chain([&index.name]));
            let columns = table.columns.iter().map(|column| &column.name);
            let mut names = columns.chain(table.unique.iter().flatten()).chain(keys).chain(indexes);
            names.all(is_name)
        };
        (schema.format == FORMAT && schema.tables.iter().all(is_plain)).then_some(schema)
    }

    /// The text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        // Nothing in a schema is beyond JSON.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> Generated {
        Generated { path: SCHEMA.to_owned(), content: Content::Text(self.text()) }
    }

    /// A table by its name.
    #[must_use]
    pub fn table(&self, name: Name) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}
