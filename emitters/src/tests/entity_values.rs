//! Values for the tests of an entity: what its fields refuse, what they take, and what they are when
//! nobody names them.

use crate::spec::{DateDefault, Decimal, Field, FieldKind, JsonDefault, Text};
use crate::tests::factories::plain_text;
use astgen_pyast::prelude::*;

/// Longer texts could be more than a body may have.
const LONGEST_SENT: u32 = 65_536;

/// What the default of a field looks like in an answer; `None` where it is another one each day.
#[must_use]
pub fn shown_default(field: &Field) -> Option<Expr> {
    let default = match &field.kind {
        FieldKind::Text(text) => text.default.as_deref().map(string),
        FieldKind::Integer(integer) => integer.default.map(IntoExpr::into_expr),
        FieldKind::Money(money) => money.default.map(IntoExpr::into_expr),
        FieldKind::Decimal(decimal) => decimal.default.as_deref().map(string),
        FieldKind::Boolean { default } => default.map(IntoExpr::into_expr),
        FieldKind::Date { default: Some(DateDefault::Today) }
        | FieldKind::DateTime { default: Some(_) } => return None,
        FieldKind::Date { default: Some(DateDefault::Day { year, month, day }) } => {
            Some(string(format!("{year:04}-{month:02}-{day:02}")))
        }
        FieldKind::Enum(choice) => choice.default.as_ref().map(|default| string(&default.value)),
        FieldKind::Json { default } => default.map(|default| match default {
            JsonDefault::Object => py!(dict!()),
            JsonDefault::Array => py!([]),
        }),
        FieldKind::Url { default } => default.as_deref().map(string),
        FieldKind::Date { default: None }
        | FieldKind::DateTime { default: None }
        | FieldKind::Uuid
        | FieldKind::Email
        | FieldKind::Reference(_) => None,
    };
    default.or_else(|| field.optional.then(none))
}

/// What a field refuses, in a new row and in a change.
#[must_use]
pub fn invalid(field: &Field) -> Vec<Expr> {
    let mut values = match &field.kind {
        FieldKind::Text(text) => bad_texts(text),
        FieldKind::Integer(integer) => bad_integers(integer.minimum, integer.maximum),
        FieldKind::Money(money) => bad_integers(money.minimum, money.maximum),
        FieldKind::Decimal(decimal) => bad_decimals(decimal),
        FieldKind::Boolean { .. } => vec![integer(1), string("true")],
        FieldKind::Date { .. } => vec![string("2026-02-30"), integer(0)],
        FieldKind::DateTime { .. } => {
            let bad = ["2026-01-31T12:00:00", "0001-01-01T00:00:00+14:00"];
            bad.map(string).into_iter().chain([integer(0)]).collect()
        }
        FieldKind::Enum(choice) => {
            let mut unknown = "unknown".to_owned();
            while choice.values.iter().any(|value| value.value == unknown) {
                unknown.push('?');
            }
            vec![string(unknown)]
        }
        FieldKind::Json { default: Some(JsonDefault::Array) } => vec![string("text"), py!(dict!())],
        FieldKind::Json { .. } => vec![string("text"), py!([])],
        FieldKind::Uuid | FieldKind::Reference(_) => vec![string("not an id")],
        FieldKind::Email => vec![string("nobody"), string("nobody@example")],
        FieldKind::Url { .. } => vec![string("example.com"), string("ftp://example.com/")],
    };
    values.extend((!field.optional).then(none));
    values
}

fn bad_texts(text: &Text) -> Vec<Expr> {
    let Text { min_length, max_length, .. } = *text;
    let shorter = match min_length {
        0 => None,
        1 => Some(string("")),
        least => Some(py!("x" * { least - 1 })),
    };
    let longer = (max_length < LONGEST_SENT).then(|| py!("x" * { max_length + 1 }));
    shorter.into_iter().chain(longer).chain([string("a\u{0}b")]).collect()
}

fn bad_integers(minimum: i64, maximum: i64) -> Vec<Expr> {
    let [below, above] = [i128::from(minimum) - 1, i128::from(maximum) + 1].map(integer);
    vec![below, above, py!(true), float(1.5), string("1")]
}

fn bad_decimals(decimal: &Decimal) -> Vec<Expr> {
    let Decimal { precision, scale, .. } = *decimal;
    let digits = (1..=precision - scale + 1).map(|digit| char::from(b'0' + digit % 10));
    let too_fine = format!("0.{}1", "0".repeat(usize::from(scale)));
    vec![string(too_fine), string(digits.collect::<String>()), float(12.5), string("NaN")]
}

/// Values of a field that differ from that of [`sample`](crate::tests::factories::sample), the way an
/// answer writes them.
#[must_use]
pub fn changes(field: &Field) -> Vec<Expr> {
    let other = match &field.kind {
        FieldKind::Text(text) => Some(other_text(text)),
        FieldKind::Integer(integer) => other_integer(1, integer.minimum, integer.maximum),
        FieldKind::Money(money) => other_integer(1250, money.minimum, money.maximum),
        FieldKind::Decimal(decimal) => Some(string(other_decimal(decimal))),
        FieldKind::Boolean { .. } => Some(py!(true)),
        FieldKind::Date { .. } => Some(string("2027-12-31")),
        FieldKind::DateTime { .. } => Some(string("2027-12-31T23:59:59Z")),
        FieldKind::Enum(choice) => choice.values.get(1).map(|value| string(&value.value)),
        FieldKind::Json { default: Some(JsonDefault::Array) } => {
            Some(py!([1.5, None, dict!("b" => "\u{0}")]))
        }
        FieldKind::Json { .. } => Some(py!(dict!("a" => [1.5, None, dict!("b" => "\u{0}")]))),
        FieldKind::Uuid => Some(string("00000000-0000-4000-8000-000000000000")),
        FieldKind::Email => Some(string("another@example.com")),
        FieldKind::Url { .. } => Some(string("https://example.com/another-page")),
        // The sample of an optional reference is null.
        FieldKind::Reference(_) => return Vec::new(),
    };
    other.into_iter().chain(field.optional.then(none)).collect()
}

fn other_text(text: &Text) -> Expr {
    const WORDS: &str = "another text";
    let length = 12_u32.clamp(text.min_length, text.max_length);
    match length {
        12 => plain_text(WORDS, text),
        // Not the letter of the sample.
        length => py!("y" * length),
    }
}

fn other_integer(sample: i64, minimum: i64, maximum: i64) -> Option<Expr> {
    let sample = sample.clamp(minimum, maximum);
    let other = if sample == maximum { minimum } else { maximum };
    (other != sample).then(|| integer(other))
}

fn other_decimal(decimal: &Decimal) -> String {
    let whole = ["0", "9", "99"][usize::from((decimal.precision - decimal.scale).min(2))];
    match decimal.scale {
        0 => whole.to_owned(),
        scale => format!("{whole}.{}", "9".repeat(usize::from(scale))),
    }
}
