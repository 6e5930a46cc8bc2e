//! What the rows that are there get in a new column that must have a value.

use crate::python::sqlalchemy::{op, sa};
use crate::spec::{DateDefault, Field, FieldKind, JsonDefault};
use astgen_pyast::prelude::*;

/// A value that SQL makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backfill {
    /// Characters.
    Text(String),
    /// A number, as SQL writes it.
    Number(String),
    /// A number with digits after the point, which `SQLite` counts in the last of them.
    Decimal {
        /// `12.50`
        exact: String,
        /// `1250`
        counted: String,
    },
    /// True or false.
    Boolean(bool),
    /// The day of the migration.
    Today,
    /// The moment of the migration.
    Now,
}

impl Backfill {
    /// Characters.
    pub fn text(text: impl ToString) -> Backfill {
        Backfill::Text(text.to_string())
    }

    /// What a new row has in a field that it does not name; `None` where the spec does not say.
    #[must_use]
    pub fn of(field: &Field) -> Option<Backfill> {
        Some(match &field.kind {
            FieldKind::Text(text) => Backfill::text(text.default.as_deref()?),
            FieldKind::Url { default } => Backfill::text(default.as_deref()?),
            FieldKind::Integer(integer) => Backfill::Number(integer.default?.to_string()),
            FieldKind::Money(money) => Backfill::Number(money.default?.to_string()),
            FieldKind::Decimal(decimal) => {
                let exact = decimal.default.clone()?;
                Backfill::Decimal { counted: counted(&exact), exact }
            }
            FieldKind::Boolean { default } => Backfill::Boolean((*default)?),
            FieldKind::Date { default } => match default.as_ref()? {
                DateDefault::Today => Backfill::Today,
                DateDefault::Day { year, month, day } => {
                    Backfill::Text(format!("{year:04}-{month:02}-{day:02}"))
                }
            },
            FieldKind::DateTime { default } => {
                default.as_ref()?;
                Backfill::Now
            }
            FieldKind::Enum(choice) => Backfill::text(&choice.default.as_ref()?.value),
            FieldKind::Json { default } => match (*default)? {
                JsonDefault::Object => Backfill::text("{}"),
                JsonDefault::Array => Backfill::text("[]"),
            },
            FieldKind::Uuid | FieldKind::Email | FieldKind::Reference(_) => return None,
        })
    }

    /// The value, for the `server_default` of a column and for an `UPDATE`.
    #[must_use]
    pub fn expr(&self) -> Expr {
        match self {
            Backfill::Text(text) => {
                let literal = format!("'{}'", text.replace('\'', "''"));
                py!(sa.literal_column(literal))
            }
            Backfill::Number(number) => {
                let number = number.as_str();
                py!(sa.literal_column(number))
            }
            Backfill::Decimal { exact, counted } => {
                let (exact, counted) = (exact.as_str(), counted.as_str());
                let dialect = py!(op.get_context().dialect.name);
                let value = py!(if dialect == "sqlite" { counted } else { exact });
                py!(sa.literal_column(value))
            }
            Backfill::Boolean(true) => py!(sa.r#true()),
            Backfill::Boolean(false) => py!(sa.r#false()),
            Backfill::Today => py!(sa.func.current_date()),
            Backfill::Now => py!(sa.func.now()),
        }
    }
}

/// `12.50` without its point, as `SQLite` has it: `1250`.
fn counted(exact: &str) -> String {
    let digits = exact.replace('.', "");
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits.to_owned()),
        None => ("", digits),
    };
    match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => format!("{sign}{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn a_decimal_is_counted_in_its_last_digit() {
        for (exact, expected) in [
            ("12.50", "1250"),
            ("-12.50", "-1250"),
            ("0.05", "5"),
            ("0.00", "0"),
            ("-0.00", "0"),
            ("7", "7"),
        ] {
            assert_eq!(counted(exact), expected);
        }
    }
}
