//! `backend/app/models/<entity>.py`: the table of an entity.

use crate::entity_names::{enumeration, region};
use crate::migrations::columns::{EMAIL_LENGTH, URL_LENGTH};
use crate::migrations::entities::IS_THERE;
use crate::migrations::foreign_key::{ForeignKey, foreign_keys, index};
use crate::models::base::{Base, SoftDeletable, Versioned, utcnow};
use crate::models::types::{ExactDecimal, UTCDateTime, text_enum};
use crate::python::builtins::{bool, dict, int, list, str};
use crate::python::sqlalchemy::{
    self, BigInteger, ForeignKeyConstraint, Index, JSON, Mapped, UniqueConstraint, mapped_column,
};
use crate::python::standard::{Any, Decimal, StrEnum, UUID, date, datetime};
use crate::relations::is_referenced;
use crate::spec::{
    DateDefault, DateTimeDefault, Entity, EntityNames, Field, FieldKind, JsonDefault, Spec,
};
use crate::wording::{capitalized, documented, indefinite, noun};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

/// What a field is in a new row that does not name it.
pub enum Initial {
    /// Always the same.
    Value(Expr),
    /// What a callable returns.
    Factory(Expr),
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec, entity: &Entity) -> Module {
    let enums = entity.fields.iter().filter_map(|field| enum_class(&entity.names, field));
    module(entity.names.model_module)
        .docstring(format!("{}.", capitalized(&entity.names.plural_title)))
        .body(block![enums.collect::<Vec<_>>(), model_class(spec, entity)])
}

fn enum_class(names: &EntityNames, field: &Field) -> Option<ClassDef> {
    let FieldKind::Enum(choice) = &field.kind else { return None };
    let values = choice.values.iter().map(|value| assign(value.constant, value.value.as_str()));
    Some(class(choice.class).base(StrEnum).body(block![
        docstring(format!("The values of `{}.{}`.", names.class, field.column)),
        values.collect::<Vec<_>>()
    ]))
}

fn model_class(spec: &Spec, entity: &Entity) -> ClassDef {
    names!(__tablename__, __table_args__);
    let names = &entity.names;
    let summary = format!("{} of an organization.", capitalized(&indefinite(&noun(&names.title))));
    let mut columns: Vec<Stmt> = entity.fields.iter().map(|field| column(names, field)).collect();
    columns = columns.into_iter().enumerate().map(spaced).collect();
    class(names.class)
        .base(if entity.soft_delete { SoftDeletable } else { Versioned })
        .base(Base)
        .body(block![
            docstring(documented(summary, &entity.description)),
            assign(__tablename__, names.table.as_str()),
            assign(__table_args__, make::tuple(constraints(spec, entity))),
            columns
        ])
        .region(region(names.model_module, names.class))
}

fn constraints(spec: &Spec, entity: &Entity) -> Vec<Expr> {
    let key = py!(UniqueConstraint("organization_id", "id"));
    let is_referenced = is_referenced(spec, &entity.names);
    let order = py!(Index(None, "organization_id", "created_at", "id"));
    let mut constraints: Vec<Expr> = is_referenced.then_some(key).into_iter().collect();
    constraints.push(order);
    constraints.extend(entity.fields.iter().flat_map(|field| field_constraints(entity, field)));
    constraints
}

fn field_constraints(entity: &Entity, field: &Field) -> Vec<Expr> {
    let column = field.column.as_str();
    let keys = match &field.kind {
        FieldKind::Reference(reference) => {
            let keys = foreign_keys(entity, field, reference);
            keys.iter().map(|key| foreign_key(key, reference.is_deferred)).collect()
        }
        _ => Vec::new(),
    };
    let unique = field.unique.then(|| unique(entity, column));
    let index = index(field).map(|columns| {
        let columns = columns.into_iter().map(arg);
        py!(Index(None, ..columns))
    });
    keys.into_iter().chain(unique).chain(index).collect()
}

/// No two rows of one organization have the same value, the deleted ones left out.
fn unique(entity: &Entity, column: &str) -> Expr {
    if !entity.soft_delete {
        return py!(UniqueConstraint("organization_id", column));
    }
    py!(Index(
        None,
        "organization_id",
        column,
        unique = true,
        sqlite_where = sqlalchemy::text(IS_THERE),
        postgresql_where = sqlalchemy::text(IS_THERE)
    ))
}

fn foreign_key(key: &ForeignKey, is_deferred: bool) -> Expr {
    let columns = key.columns.iter().map(String::as_str);
    let targets = key.target_columns.iter().map(|column| format!("{}.{column}", key.target));
    let late = is_deferred.then(|| kw("use_alter", true));
    let options = key.options().into_iter().chain(late);
    py!(ForeignKeyConstraint([..columns], [..targets], ..options))
}

/// The first column starts a paragraph.
fn spaced((place, column): (usize, Stmt)) -> Stmt {
    if place == 0 { column.paragraph() } else { column }
}

fn column(names: &EntityNames, field: &Field) -> Stmt {
    let mut value = value_type(names, &field.kind, Any);
    if field.optional {
        value = value.or(none());
    }
    let initial = initial(names, &field.kind, Any).map(|initial| match initial {
        Initial::Value(default) | Initial::Factory(default) => kw("default", default),
    });
    // SQLAlchemy takes the default for `None` too, so where a row may hold `None` only the schema has it.
    let default = initial.filter(|_| !field.optional);
    let arguments = column_type(names, field).map(arg).into_iter().chain(default);
    ann_assign(field.column, py!(Mapped[value]), mapped_column.call(arguments))
}

/// What the column is where the Python type does not say it.
fn column_type(names: &EntityNames, field: &Field) -> Option<Expr> {
    Some(match &field.kind {
        FieldKind::Text(text) => py!(sqlalchemy::String({ text.max_length })),
        FieldKind::Email => py!(sqlalchemy::String(EMAIL_LENGTH)),
        FieldKind::Url { .. } => py!(sqlalchemy::String(URL_LENGTH)),
        FieldKind::Integer(integer) => return wide(integer.minimum, integer.maximum),
        FieldKind::Money(_) => BigInteger.into_expr(),
        FieldKind::Decimal(decimal) => {
            py!(ExactDecimal({ u32::from(decimal.precision) }, { u32::from(decimal.scale) }))
        }
        FieldKind::DateTime { .. } => UTCDateTime.into_expr(),
        FieldKind::Enum(choice) => py!(text_enum({ enumeration(names, choice) })),
        // `None` would be the JSON value `null`.
        FieldKind::Json { .. } if field.optional => py!(JSON(none_as_null = true)),
        FieldKind::Json { .. } => JSON.into_expr(),
        FieldKind::Boolean { .. }
        | FieldKind::Date { .. }
        | FieldKind::Uuid
        | FieldKind::Reference(_) => return None,
    })
}

/// `BigInteger`, where 32 bits are not enough.
fn wide(minimum: i64, maximum: i64) -> Option<Expr> {
    let fits = i32::try_from(minimum).is_ok() && i32::try_from(maximum).is_ok();
    (!fits).then(|| BigInteger.into_expr())
}

/// The type of a value in Python; a JSON value consists of `json`.
#[must_use]
pub fn value_type(names: &EntityNames, kind: &FieldKind, json: Import) -> Expr {
    match kind {
        FieldKind::Text(_) | FieldKind::Email | FieldKind::Url { .. } => str.into_expr(),
        FieldKind::Integer(_) | FieldKind::Money(_) => int.into_expr(),
        FieldKind::Decimal(_) => Decimal.into_expr(),
        FieldKind::Boolean { .. } => bool.into_expr(),
        FieldKind::Date { .. } => date.into_expr(),
        FieldKind::DateTime { .. } => datetime.into_expr(),
        FieldKind::Enum(choice) => enumeration(names, choice).into_expr(),
        FieldKind::Json { default: Some(JsonDefault::Array) } => py!(list[json]),
        FieldKind::Json { .. } => py!(dict[(str, json)]),
        FieldKind::Uuid | FieldKind::Reference(_) => UUID.into_expr(),
    }
}

/// The default of a field, if it has one; an empty JSON value consists of `json`.
#[must_use]
pub fn initial(names: &EntityNames, kind: &FieldKind, json: Import) -> Option<Initial> {
    let value = match kind {
        FieldKind::Text(text) => text.default.as_deref()?.into_expr(),
        FieldKind::Url { default } => default.as_deref()?.into_expr(),
        FieldKind::Integer(integer) => integer.default?.into_expr(),
        FieldKind::Money(money) => money.default?.into_expr(),
        FieldKind::Decimal(decimal) => {
            let digits = decimal.default.as_deref()?;
            py!(Decimal(digits))
        }
        FieldKind::Boolean { default } => (*default)?.into_expr(),
        FieldKind::Date { default } => match default.as_ref()? {
            DateDefault::Today => return Some(Initial::Factory(py!(|| utcnow().date()))),
            DateDefault::Day { year, month, day } => {
                let [month, day] = [*month, *day].map(u32::from);
                py!(date({ *year }, month, day))
            }
        },
        FieldKind::DateTime { default } => match default.as_ref()? {
            DateTimeDefault::Now => return Some(Initial::Factory(utcnow.into_expr())),
        },
        FieldKind::Enum(choice) => {
            let default = choice.default.as_ref()?;
            enumeration(names, choice).attr(default.constant)
        }
        FieldKind::Json { default } => {
            (*default)?;
            return Some(Initial::Factory(value_type(names, kind, json)));
        }
        FieldKind::Uuid | FieldKind::Email | FieldKind::Reference(_) => return None,
    };
    Some(Initial::Value(value))
}
