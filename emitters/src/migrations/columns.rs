//! The database types of columns.

use crate::python::sqlalchemy::sa;
use crate::spec::{FieldKind, Spec};
use astgen_pyast::prelude::*;
use serde::{Deserialize, Serialize};

/// The bytes of an enum's text, unless one of the spec is longer.
const ENUM_LENGTH: u32 = 32;
/// The bytes of an enum's text, if the spec has one over [`ENUM_LENGTH`]; none is over 63.
const LONG_ENUM_LENGTH: u32 = 64;
/// The longest address that SMTP can carry (RFC 5321).
pub const EMAIL_LENGTH: u32 = 254;
/// The longest web address that every browser takes.
pub const URL_LENGTH: u32 = 2048;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ColumnKind {
    /// A UUID.
    Uuid,
    /// A moment, with its time zone.
    Moment,
    /// Characters, at most so many.
    String(u32),
    /// Characters without a limit.
    Text,
    /// True or false.
    Boolean,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    BigInteger,
    /// A calendar day.
    Date,
    /// Any JSON value.
    Json,
    /// A number with digits after the point. `SQLite` has none: there it is counted in its last digit.
    Decimal {
        /// All digits.
        precision: u32,
        /// The digits after the point.
        scale: u32,
    },
}

impl ColumnKind {
    /// What a migration calls it: `sa.String(120)`.
    #[must_use]
    pub fn expr(self) -> Expr {
        match self {
            ColumnKind::Uuid => py!(sa.Uuid()),
            ColumnKind::Moment => py!(sa.DateTime(timezone = true)),
            ColumnKind::String(length) => py!(sa.String(length)),
            ColumnKind::Text => py!(sa.Text()),
            ColumnKind::Boolean => py!(sa.Boolean()),
            ColumnKind::Integer => py!(sa.Integer()),
            ColumnKind::BigInteger => py!(sa.BigInteger()),
            ColumnKind::Date => py!(sa.Date()),
            ColumnKind::Json => py!(sa.JSON()),
            ColumnKind::Decimal { precision, scale } => {
                py!(sa.Numeric(precision, scale).with_variant(sa.BigInteger(), "sqlite"))
            }
        }
    }

    /// What `PostgreSQL` calls it.
    #[must_use]
    pub fn sql(self) -> String {
        match self {
            ColumnKind::Uuid => "uuid".to_owned(),
            ColumnKind::Moment => "timestamptz".to_owned(),
            ColumnKind::String(length) => format!("varchar({length})"),
            ColumnKind::Text => "text".to_owned(),
            ColumnKind::Boolean => "boolean".to_owned(),
            ColumnKind::Integer => "integer".to_owned(),
            ColumnKind::BigInteger => "bigint".to_owned(),
            ColumnKind::Date => "date".to_owned(),
            ColumnKind::Json => "json".to_owned(),
            ColumnKind::Decimal { precision, scale } => format!("numeric({precision}, {scale})"),
        }
    }

    /// Whether every value of this type is one of the other type too, written the same way.
    #[must_use]
    pub fn widens_to(self, other: ColumnKind) -> bool {
        match (self, other) {
            (ColumnKind::String(length), ColumnKind::String(longer)) => length <= longer,
            (ColumnKind::String(_), ColumnKind::Text)
            | (ColumnKind::Integer, ColumnKind::BigInteger) => true,
            (
                ColumnKind::Decimal { precision, scale },
                ColumnKind::Decimal { precision: more, scale: same },
            ) => precision <= more && scale == same,
            (one, other) => one == other,
        }
    }
}

/// `Uuid`
#[must_use]
pub fn uuid() -> ColumnKind {
    ColumnKind::Uuid
}

/// `DateTime(timezone=True)`
#[must_use]
pub fn moment() -> ColumnKind {
    ColumnKind::Moment
}

/// `String(length)`
#[must_use]
pub fn text(length: u32) -> ColumnKind {
    ColumnKind::String(length)
}

/// The text of an enum. All have one length, which `app.models.types.ENUM_LENGTH` names.
#[must_use]
pub fn choice(spec: &Spec) -> ColumnKind {
    ColumnKind::String(enum_length(spec))
}

/// The bytes that every enum of the project is stored in.
#[must_use]
pub fn enum_length(spec: &Spec) -> u32 {
    if spec.longest_choice > ENUM_LENGTH as usize { LONG_ENUM_LENGTH } else { ENUM_LENGTH }
}

/// The type of a field's column.
#[must_use]
pub fn column_type(kind: &FieldKind, spec: &Spec) -> ColumnKind {
    match kind {
        FieldKind::Text(bounds) => text(bounds.max_length),
        FieldKind::Integer(bounds) => integer(bounds.minimum, bounds.maximum),
        FieldKind::Money(_) => ColumnKind::BigInteger,
        FieldKind::Decimal(digits) => ColumnKind::Decimal {
            precision: u32::from(digits.precision),
            scale: u32::from(digits.scale),
        },
        FieldKind::Boolean { .. } => ColumnKind::Boolean,
        FieldKind::Date { .. } => ColumnKind::Date,
        FieldKind::DateTime { .. } => moment(),
        FieldKind::Enum(_) => choice(spec),
        FieldKind::Json { .. } => ColumnKind::Json,
        FieldKind::Email => text(EMAIL_LENGTH),
        FieldKind::Url { .. } => text(URL_LENGTH),
        FieldKind::Uuid | FieldKind::Reference(_) => uuid(),
    }
}

/// `Integer`, or `BigInteger` where 32 bits are not enough.
fn integer(minimum: i64, maximum: i64) -> ColumnKind {
    let is_small = i32::try_from(minimum).is_ok() && i32::try_from(maximum).is_ok();
    if is_small { ColumnKind::Integer } else { ColumnKind::BigInteger }
}
