//! The database types of columns.

use crate::python::sqlalchemy::sa;
use crate::spec::{FieldKind, Spec};
use astgen_pyast::prelude::*;

/// The bytes of an enum's text, unless one of the spec is longer.
const ENUM_LENGTH: usize = 32;
/// The bytes of an enum's text, if the spec has one over [`ENUM_LENGTH`]; none is over 63.
const LONG_ENUM_LENGTH: usize = 64;
/// The longest address that SMTP can carry (RFC 5321).
pub const EMAIL_LENGTH: u32 = 254;
/// The longest web address that every browser takes.
pub const URL_LENGTH: u32 = 2048;

/// `Uuid`
#[must_use]
pub fn uuid() -> Expr {
    py!(sa.Uuid())
}

/// `DateTime(timezone=True)`
#[must_use]
pub fn moment() -> Expr {
    py!(sa.DateTime(timezone = true))
}

/// `String(length)`
#[must_use]
pub fn text(length: u32) -> Expr {
    py!(sa.String(length))
}

/// The text of an enum. All have one length, which `app.models.types.ENUM_LENGTH` names.
#[must_use]
pub fn choice(spec: &Spec) -> Expr {
    let length = enum_length(spec);
    py!(sa.String(length))
}

/// The bytes that every enum of the project is stored in.
#[must_use]
pub fn enum_length(spec: &Spec) -> usize {
    let values = spec.entities.iter().flat_map(|entity| &entity.fields).flat_map(|field| {
        let FieldKind::Enum(choice) = &field.kind else { return Vec::new() };
        choice.values.iter().map(|value| value.value.chars().count()).collect()
    });
    let roles = spec.organizations.roles.iter().map(|role| role.name.as_str().len());
    let plans = spec.billing.iter().flat_map(|billing| &billing.plans);
    let plans = plans.map(|plan| plan.name.as_str().len());
    match values.chain(roles).chain(plans).max() {
        Some(longest) if longest > ENUM_LENGTH => LONG_ENUM_LENGTH,
        _ => ENUM_LENGTH,
    }
}

/// The type of a field's column.
#[must_use]
pub fn column_type(kind: &FieldKind, spec: &Spec) -> Expr {
    match kind {
        FieldKind::Text(bounds) => text(bounds.max_length),
        FieldKind::Integer(bounds) => integer(bounds.minimum, bounds.maximum),
        FieldKind::Money(_) => py!(sa.BigInteger()),
        FieldKind::Decimal(digits) => {
            let (precision, scale) = (u32::from(digits.precision), u32::from(digits.scale));
            py!(sa.Numeric(precision, scale).with_variant(sa.BigInteger(), "sqlite"))
        }
        FieldKind::Boolean { .. } => py!(sa.Boolean()),
        FieldKind::Date { .. } => py!(sa.Date()),
        FieldKind::DateTime { .. } => moment(),
        FieldKind::Enum(_) => choice(spec),
        FieldKind::Json { .. } => py!(sa.JSON()),
        FieldKind::Email => text(EMAIL_LENGTH),
        FieldKind::Url { .. } => text(URL_LENGTH),
        FieldKind::Uuid | FieldKind::Reference(_) | FieldKind::File(_) => uuid(),
    }
}

/// `Integer`, or `BigInteger` where 32 bits are not enough.
fn integer(minimum: i64, maximum: i64) -> Expr {
    let is_small = i32::try_from(minimum).is_ok() && i32::try_from(maximum).is_ok();
    if is_small { py!(sa.Integer()) } else { py!(sa.BigInteger()) }
}
