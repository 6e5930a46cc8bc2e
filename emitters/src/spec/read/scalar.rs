//! Decimal numbers, days and empty JSON: what a default may be beside words and whole numbers.

use super::errors::Errors;
use super::shape::{Shape, Whole, wrong_type};
use super::table::{Placed, Table};
use crate::spec::error::{Place, Problem, SpecError, quoted};
use crate::spec::{DateDefault, Decimal, JsonDefault};
use serde_json::{Value, json};
use toml::de::DeValue;

/// A decimal number in quotes, so that no digit is lost; a number without quotes is taken too.
pub struct DecimalText;

/// A day, or `"today"`.
pub struct DateOrToday;

/// `{}` or `[]`.
pub struct EmptyJson;

/// Reads what goes with `type = "decimal"`.
pub fn decimal(table: &mut Table<'_>) -> Option<Decimal> {
    let precision = table.or("precision", "All digits.", Whole(1..=38), 12_u8);
    let scale =
        table.optional("scale", "The digits after the point. By default 2.", Whole(0..=38_u8));
    let default = table.optional("default", "The value of a new row that names none.", DecimalText);
    let place = scale.as_ref().map_or_else(|| table.place(), |scale| scale.place.clone());
    let scale = scale.map_or(2.min(precision), |scale| scale.value);
    if scale > precision {
        let sentence = format!("{scale} of {precision} digits cannot stand after the point");
        table.report(SpecError::new(place, Problem::Inconsistent(sentence)));
        return None;
    }
    let default = match default {
        None => None,
        Some(Placed { value, place }) => {
            let fitted = fitted(&value, precision, scale);
            if fitted.is_none() {
                let before = precision - scale;
                let sentence = format!(
                    "the default {} has more than {before} digits before the point or {scale} after it",
                    quoted(&value)
                );
                table.report(SpecError::new(place, Problem::Inconsistent(sentence)));
            }
            fitted
        }
    };
    Some(Decimal { precision, scale, default })
}

impl Shape for DecimalText {
    type Value = String;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<String> {
        let written = match value {
            DeValue::String(text) => text.to_string(),
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Integer(number) => number.to_string(),
            other => return wrong_type("a decimal number", other, place, errors),
        };
        if is_decimal(&written) {
            return Some(written);
        }
        let problem = Problem::BadText { found: quoted(&written), expected: "a decimal number" };
        errors.push(SpecError::new(place.clone(), problem).help("write it as in \"12.50\""));
        None
    }

    fn describe(&self) -> Value {
        json!({
            "type": ["string", "number"],
            "pattern": "^[+-]?[0-9]+(\\.[0-9]+)?$",
        })
    }
}

impl Shape for DateOrToday {
    type Value = DateDefault;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<DateDefault> {
        match value {
            DeValue::String(text) if text == "today" => return Some(DateDefault::Today),
            DeValue::Datetime(moment) if moment.time.is_none() && moment.offset.is_none() => {
                // Python's first year is 1.
                if let Some(date) = moment.date.filter(|date| date.year > 0) {
                    let (year, month, day) = (date.year, date.month, date.day);
                    return Some(DateDefault::Day { year, month, day });
                }
            }
            _ => {}
        }
        let found = match value {
            DeValue::String(text) => quoted(text),
            DeValue::Datetime(moment) => quoted(&moment.to_string()),
            other => return wrong_type("a date", other, place, errors),
        };
        let problem = Problem::BadText { found, expected: "a date" };
        let help = "write a date without quotes, such as 2026-12-31, or \"today\"";
        errors.push(SpecError::new(place.clone(), problem).help(help));
        None
    }

    fn describe(&self) -> Value {
        // A JSON Schema sees a TOML date as a text.
        json!({ "type": "string", "pattern": "^(today|[0-9]{4}-[0-9]{2}-[0-9]{2})$" })
    }
}

impl Shape for EmptyJson {
    type Value = JsonDefault;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<JsonDefault> {
        match value {
            DeValue::Table(table) if table.is_empty() => Some(JsonDefault::Object),
            DeValue::Array(list) if list.is_empty() => Some(JsonDefault::Array),
            other => wrong_type("{} or []", other, place, errors),
        }
    }

    fn describe(&self) -> Value {
        json!({ "enum": [{}, []] })
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_run = |run: &str| !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_digit());
    match digits.split_once('.') {
        Some((whole, fraction)) => is_run(whole) && is_run(fraction),
        None => is_run(digits),
    }
}

/// The number with exactly `scale` digits after the point, if it fits.
fn fitted(text: &str, precision: u8, scale: u8) -> Option<String> {
    let digits = text.trim_start_matches(['+', '-']);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let (precision, scale) = (usize::from(precision), usize::from(scale));
    if whole.len() > precision - scale || fraction.len() > scale {
        return None;
    }
    let is_zero = whole.is_empty() && fraction.is_empty();
    let sign = if text.starts_with('-') && !is_zero { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if scale == 0 { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction:0<scale$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert!(is_decimal(text));
        assert_eq!(fitted(text, 5, 2).as_deref(), expected);
    }

    #[test]
    fn decimals_are_padded_to_their_scale() {
        check("1", Some("1.00"));
        check("+012.5", Some("12.50"));
        check("-0.0", Some("0.00"));
        check("-.5".replace('.', "0.").as_str(), Some("-0.50"));
        check("999.99", Some("999.99"));
    }

    #[test]
    fn decimals_that_do_not_fit_are_refused() {
        check("1000", None);
        check("0.001", None);
        assert_eq!(fitted("7", 1, 0).as_deref(), Some("7"));
        assert_eq!(fitted("10", 1, 0), None);
    }

    #[test]
    fn other_texts_are_no_decimals() {
        for bad in ["", ".5", "5.", "1e3", "inf", "nan", "0x10", "1_0", "--1", "١"] {
            assert!(!is_decimal(bad), "{bad}");
        }
    }
}
