//! `[entities.…]`.

use super::field::{KINDS, Kind, RawField, field};
use super::guard::{GuardsShape, RawGuards};
use super::name::{Entries, Entry, Identifier};
use super::organizations::{RoleNames, role_names};
use super::shape::{Boolean, Line, List};
use super::table::{Placed, Table};
use super::tagged::Tagged;

use astgen_pyast::Name;

/// An entity before the rest of the spec is known.
#[derive(Debug)]
pub struct RawEntity {
    pub plural: Option<Placed<Name>>,
    pub title: Option<String>,
    pub plural_title: Option<String>,
    pub description: String,
    pub readers: Option<RoleNames>,
    pub writers: Option<RoleNames>,
    pub limit: Option<Placed<String>>,
    pub guards: Option<RawGuards>,
    pub soft_delete: bool,
    pub bulk_create: bool,
    pub requires_if_match: bool,
    pub search: Vec<Placed<String>>,
    /// `None` when there are none to read, which is then reported.
    pub fields: Option<Placed<Vec<Entry<Option<RawField>>>>>,
}

/// Reads an entity.
pub fn entity(table: &mut Table<'_>) -> RawEntity {
    let plural = table.optional(
        "plural",
        "The name of many of them. By default the regular English plural.",
        Identifier::Entity,
    );
    let title = table.optional("title", "What people read.", Line(1..=120));
    let plural_title =
        table.optional("plural_title", "What people read for many of them.", Line(1..=120));
    let description = table.or(
        "description",
        "One sentence for the documentation.",
        Line(0..=500),
        String::new(),
    );
    let readers =
        table.optional("read", "The roles that may list and read. By default all.", role_names());
    let writers = table.optional(
        "write",
        "The roles that may create, update and delete. By default all but the lowest.",
        role_names(),
    );
    let limit = table.optional(
        "limit",
        "The limit of the plans that a new row counts against.",
        Line(1..=63),
    );
    let guards = table.optional(
        "guards",
        "What stands before the routes: a list for all of them, or a list for each operation.",
        GuardsShape,
    );
    let soft_delete =
        table.or("soft_delete", "Whether a deleted row can be restored.", Boolean, false);
    let bulk_create = table.or(
        "bulk_create",
        "Whether one request can create up to 100 rows, all of them or none.",
        Boolean,
        false,
    );
    let requires_if_match = table.or(
        "require_if_match",
        "Whether a change must name, in `If-Match`, the version that it is of.",
        Boolean,
        false,
    );
    let search = table.optional(
        "search",
        "The text fields that a search looks into.",
        List(Line(1..=63), 0..=50),
    );
    let fields = table.required(
        "fields",
        "What a row holds. `id`, `created_at` and `updated_at` are always there.",
        Entries {
            keys: Identifier::Field,
            values: Tagged::<Kind, Option<RawField>> {
                name: "a field",
                tag: "type",
                about: "What kind of value it is.",
                kinds: KINDS,
                read: field,
            },
        },
    );
    RawEntity {
        plural,
        title: title.map(|title| title.value),
        plural_title: plural_title.map(|title| title.value),
        description,
        readers,
        writers,
        limit,
        guards: guards.map(|guards| guards.value),
        soft_delete,
        bulk_create,
        requires_if_match,
        search: search.map_or_else(Vec::new, |search| search.value),
        fields,
    }
}
