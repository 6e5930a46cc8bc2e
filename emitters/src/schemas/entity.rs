//! `backend/app/schemas/<entity>.py`: requests and responses about an entity.

use crate::core::pagination::QueryBoolean;
use crate::entity_filters::{Filter, filters, orders};
use crate::entity_names::{
    bulk_create_schema, bulk_schema, create_schema, enumeration, query_schema, read_schema,
    sort_enum,
};
use crate::migrations::columns::URL_LENGTH;
use crate::models::entity::{Initial, initial, value_type};
use crate::python::builtins::{list, str};
use crate::python::pydantic::{
    AfterValidator, BaseModel, BeforeValidator, Field, JsonValue, StrictBool, StrictInt,
    WithJsonSchema,
};
use crate::python::standard::{self, Annotated, StrEnum, UUID, datetime};
use crate::schemas::base::{Page, RequestModel, ResponseModel, absent};
use crate::schemas::fields::{
    Email, IsoDate, JsonObject, NO_NUL, QueryInteger, Search, UtcDatetime, scaled, storable,
    text_of_decimal, whole_number,
};
use crate::spec::text::{pascal_case, title};
use crate::spec::{self, Entity, EntityNames, FieldKind, JsonDefault, Spec};
use crate::wording::{alternatives, capitalized, documented, indefinite, noun};
use astgen_pyast::prelude::*;

/// An absolute address of printable ASCII, as the reader of a spec takes it for a default.
const WEB_ADDRESS: &str = "^https?://[A-Za-z0-9\\[][!#-;=?-~]*$";

/// A field, and what a request holds in it.
struct Requested<'s> {
    field: &'s spec::Field,
    /// The type of a value.
    plain: Expr,
    /// The same, or `None` where the field may be missing.
    accepted: Expr,
}

/// The module.
#[must_use]
pub fn emit(_spec: &Spec, entity: &Entity) -> Module {
    let names = &entity.names;
    let mut taken =
        vec![names.create_class, names.update_class, names.read_class, names.page_class];
    let mut aliases = Vec::new();
    let mut fields = Vec::new();
    for field in &entity.fields {
        let plain = match constrained(&field.kind) {
            Some(constrained) => {
                let alias = alias(names, field, &mut taken);
                aliases.push(assign(alias, constrained));
                alias.into_expr()
            }
            None => accepted(names, &field.kind),
        };
        let accepted = plain.clone();
        let accepted = if field.optional { accepted.or(none()) } else { accepted };
        fields.push(Requested { field, plain, accepted });
    }
    module(names.schema_module)
        .docstring(format!("Requests and responses about {}.", noun(&names.plural_title)))
        .body(block![
            aliases,
            create_class(names, &fields),
            entity.bulk_create.then(|| bulk_create_class(names)),
            update_class(names, &fields),
            sort_class(entity),
            query_class(entity, &fields),
            read_class(entity),
            entity.bulk_create.then(|| bulk_class(names)),
            page_class(names)
        ])
}

/// A name for the type of a field: `ProjectName`.
fn alias(names: &EntityNames, field: &spec::Field, taken: &mut Vec<Name>) -> Name {
    let mut text = format!("{}{}", names.class, pascal_case(field.column.as_str()));
    loop {
        // What starts with a class is an identifier.
        let alias = Name::parse(&text).unwrap_or(names.class);
        if !taken.contains(&alias) {
            taken.push(alias);
            return alias;
        }
        text.push_str("Value");
    }
}

/// The type of a field with bounds of its own.
fn constrained(kind: &FieldKind) -> Option<Expr> {
    Some(match kind {
        FieldKind::Text(text) => {
            let least = (text.min_length > 0).then(|| kw("min_length", text.min_length));
            let most = text.max_length;
            py!(Annotated[(str, Field(..least, max_length = most, pattern = NO_NUL))])
        }
        FieldKind::Url { .. } => {
            py!(Annotated[(str, Field(max_length = URL_LENGTH, pattern = WEB_ADDRESS))])
        }
        FieldKind::Integer(integer) => whole(integer.minimum, integer.maximum),
        FieldKind::Money(money) => whole(money.minimum, money.maximum),
        FieldKind::Decimal(decimal) => digits(decimal.precision, decimal.scale),
        FieldKind::Json { default: Some(JsonDefault::Array) } => {
            py!(Annotated[(list[JsonValue], AfterValidator(storable))])
        }
        FieldKind::Boolean { .. }
        | FieldKind::Date { .. }
        | FieldKind::DateTime { .. }
        | FieldKind::Enum(_)
        | FieldKind::Json { .. }
        | FieldKind::Uuid
        | FieldKind::Email
        | FieldKind::Reference(_) => return None,
    })
}

fn whole(minimum: i64, maximum: i64) -> Expr {
    py!(Annotated[(StrictInt, Field(ge = minimum, le = maximum), BeforeValidator(whole_number))])
}

fn digits(precision: u8, scale: u8) -> Expr {
    let whole = match precision - scale {
        0 => "0".to_owned(),
        most => format!("[0-9]{{1,{most}}}"),
    };
    let fraction = match scale {
        0 => String::new(),
        most => format!("([.][0-9]{{1,{most}}})?"),
    };
    let pattern = format!("^-?{whole}{fraction}$");
    let [precision, scale] = [precision, scale].map(u32::from);
    py!(Annotated[(
        { standard::Decimal },
        BeforeValidator(text_of_decimal),
        Field(max_digits = precision, decimal_places = scale),
        AfterValidator(scaled(scale)),
        WithJsonSchema(dict!("type" => "string", "pattern" => pattern))
    )])
}

/// The type of a field that needs no bounds of its own.
fn accepted(names: &EntityNames, kind: &FieldKind) -> Expr {
    match kind {
        FieldKind::Boolean { .. } => StrictBool.into_expr(),
        FieldKind::Date { .. } => IsoDate.into_expr(),
        FieldKind::DateTime { .. } => UtcDatetime.into_expr(),
        FieldKind::Enum(choice) => enumeration(names, choice).into_expr(),
        FieldKind::Json { .. } => JsonObject.into_expr(),
        FieldKind::Email => Email.into_expr(),
        FieldKind::Uuid | FieldKind::Reference(_) => UUID.into_expr(),
        FieldKind::Text(_)
        | FieldKind::Integer(_)
        | FieldKind::Decimal(_)
        | FieldKind::Url { .. }
        | FieldKind::Money(_) => value_type(names, kind, JsonValue),
    }
}

fn create_class(names: &EntityNames, fields: &[Requested<'_>]) -> ClassDef {
    let attributes = fields.iter().map(|Requested { field, accepted, .. }| {
        let initial = initial(names, &field.kind, JsonValue);
        let initial = initial.or_else(|| field.optional.then(|| Initial::Value(none())));
        attribute(field, accepted.clone(), initial)
    });
    class(names.create_class).base(RequestModel).body(block![
        docstring(format!("A new {}.", noun(&names.title))),
        attributes.collect::<Vec<_>>()
    ])
}

fn update_class(names: &EntityNames, fields: &[Requested<'_>]) -> ClassDef {
    let attributes = fields.iter().map(|Requested { field, accepted, .. }| {
        let left_out = match field.optional {
            true => Initial::Value(none()),
            false => Initial::Factory(absent.into_expr()),
        };
        attribute(field, accepted.clone(), Some(left_out))
    });
    let doc = format!(
        "A change of {}; what is left out stays as it is.",
        indefinite(&noun(&names.title))
    );
    class(names.update_class)
        .base(RequestModel)
        .body(block![docstring(doc), attributes.collect::<Vec<_>>()])
}

fn bulk_create_class(names: &EntityNames) -> ClassDef {
    names!(items);
    let row = create_schema(names);
    let most = Field.call([kw("min_length", 1), kw("max_length", 100)]);
    class(bulk_create_schema(names)).base(RequestModel).body(block![
        docstring(format!("New {}, all of them or none.", noun(&names.plural_title))),
        annotate(items, py!(Annotated[(list[row], most)]))
    ])
}

fn bulk_class(names: &EntityNames) -> ClassDef {
    names!(items);
    let row = read_schema(names);
    let plural = capitalized(&noun(&names.plural_title));
    class(bulk_schema(names)).base(ResponseModel).body(block![
        docstring(format!("{plural} that were added together.")),
        annotate(items, py!(list[row]))
    ])
}

fn sort_class(entity: &Entity) -> ClassDef {
    let names = &entity.names;
    let members = orders(entity).into_iter().map(|(member, value)| assign(member, value));
    class(sort_enum(names)).base(StrEnum).body(block![
        docstring(format!("The orders of a list of {}.", noun(&names.plural_title))),
        members.collect::<Vec<_>>()
    ])
}

/// The parameters of the list.
fn query_class(entity: &Entity, fields: &[Requested<'_>]) -> ClassDef {
    names!(search, deleted, sort);
    let names = &entity.names;
    let parameters = filters(entity).into_iter().flat_map(|filter| parameters(&filter, fields));
    let left_out = |said: String| py!(Field(default = None, description = said));
    let words = format!("Words that occur in {}.", alternatives(&searched(entity)));
    let trash = "Whether to list what was deleted and can be restored.";
    let (newest, orders) = (sort_enum(names).attr("CREATED_AT_REVERSED"), sort_enum(names));
    class(query_schema(names)).base(BaseModel).body(block![
        docstring(format!("Which {} are listed, in which order.", noun(&names.plural_title))),
        parameters.collect::<Vec<_>>(),
        (!entity.search.is_empty()).then(|| ann_assign(
            search,
            py!(Search | None),
            left_out(words)
        )),
        entity.soft_delete.then(|| ann_assign(
            deleted,
            QueryBoolean,
            py!(Field(default = false, description = trash))
        )),
        ann_assign(
            sort,
            orders,
            py!(Field(default = newest, description = "`-` is for the reverse order."))
        )
    ])
}

/// The titles of the fields that a search looks into.
fn searched(entity: &Entity) -> Vec<String> {
    let fields = entity.fields.iter().filter(|field| entity.search.contains(&field.name));
    fields.map(|field| noun(&field.title)).collect()
}

fn parameters(filter: &Filter<'_>, fields: &[Requested<'_>]) -> Vec<Stmt> {
    let field = filter.field();
    let value = match &field.kind {
        FieldKind::Boolean { .. } => QueryBoolean.into_expr(),
        FieldKind::Integer(integer) => bounded(integer.minimum, integer.maximum),
        FieldKind::Money(money) => bounded(money.minimum, money.maximum),
        _ => {
            let requested = fields.iter().find(|requested| requested.field.name == field.name);
            requested.map_or_else(none, |requested| requested.plain.clone())
        }
    };
    let said = |parameter: &str| match filter {
        Filter::Equal(_) => None,
        Filter::Range(_) if parameter.ends_with("_from") => Some("The least value."),
        Filter::Range(_) => Some("The greatest value."),
    };
    let parameters = filter.parameters().into_iter().map(|parameter| {
        let name = Name::parse(&parameter).unwrap_or(field.column);
        let initial = match said(&parameter) {
            None => none(),
            Some(said) => py!(Field(default = None, description = said)),
        };
        ann_assign(name, value.clone().or(none()), initial)
    });
    parameters.collect()
}

fn bounded(minimum: i64, maximum: i64) -> Expr {
    py!(Annotated[(QueryInteger, Field(ge = minimum, le = maximum))])
}

fn read_class(entity: &Entity) -> ClassDef {
    names!(id, created_at, updated_at, deleted_at);
    let names = &entity.names;
    let attributes = entity.fields.iter().map(|field| {
        let value = value_type(names, &field.kind, JsonValue);
        let value = if field.optional { value.or(none()) } else { value };
        attribute(field, value, None)
    });
    let summary = format!("{}.", capitalized(&indefinite(&noun(&names.title))));
    class(names.read_class).base(ResponseModel).body(block![
        docstring(documented(summary, &entity.description)),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(updated_at, datetime),
        entity.soft_delete.then(|| annotate(deleted_at, py!(datetime | None))),
        attributes.collect::<Vec<_>>()
    ])
}

fn page_class(names: &EntityNames) -> ClassDef {
    let row = read_schema(names);
    class(names.page_class)
        .base(py!(Page[row]))
        .body(docstring(format!("A part of the list of {}.", noun(&names.plural_title))))
}

/// An attribute of a schema, with what the spec says about the field.
fn attribute(field: &spec::Field, value: Expr, initial: Option<Initial>) -> Stmt {
    let said = said(field);
    let value_of = |key, value| {
        let arguments = [kw(key, value)].into_iter().chain(said.clone());
        Field.call(arguments)
    };
    match initial {
        None if said.is_empty() => annotate(field.column, value),
        None => ann_assign(field.column, value, Field.call(said)),
        Some(Initial::Value(initial)) if said.is_empty() => {
            ann_assign(field.column, value, initial)
        }
        Some(Initial::Value(initial)) => {
            ann_assign(field.column, value, value_of("default", initial))
        }
        Some(Initial::Factory(initial)) => {
            ann_assign(field.column, value, value_of("default_factory", initial))
        }
    }
}

/// The title, where it is not the field's name, and the description.
fn said(field: &spec::Field) -> Vec<Arg> {
    let has_title = field.title != title(field.name.as_str());
    let own_title = has_title.then(|| kw("title", field.title.as_str()));
    let has_description = !field.description.is_empty();
    let description = has_description.then(|| kw("description", field.description.as_str()));
    own_title.into_iter().chain(description).collect()
}
