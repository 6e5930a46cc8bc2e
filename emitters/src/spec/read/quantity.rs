//! Durations and sizes: a number and a unit, in quotes.

use super::errors::Errors;
use super::shape::{Plain, Shape, string};
use crate::spec::error::{Place, Problem, SpecError, quoted};
use serde_json::{Value, json};
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::de::DeValue;

/// A duration in `s`, `m`, `h`, `d` or `w`, between two bounds.
pub struct Lifetime(pub RangeInclusive<Duration>);

/// A duration in whole days, `d` or `w`, between two counts of days.
pub struct Days(pub RangeInclusive<u64>);

/// A size in bytes, `kB`, `MB` or `GB`, from one byte to the bound.
pub struct Size(pub u64);

const UNITS: [(&str, u64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
const SIZES: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];

/// So many minutes.
pub const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// So many hours.
pub const fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3_600)
}

/// So many days.
pub const fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}

impl Shape for Lifetime {
    type Value = Duration;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<Duration> {
        duration(value, &UNITS, &self.0, place, errors)
    }

    fn describe(&self) -> Value {
        json!({ "type": "string", "pattern": "^[1-9][0-9]{0,8}[smhdw]$" })
    }
}

impl Plain for Lifetime {
    fn json(&self, value: &Duration) -> Value {
        json!(written(value.as_secs(), &UNITS))
    }
}

impl Shape for Days {
    type Value = Duration;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<Duration> {
        let bounds = days(*self.0.start())..=days(*self.0.end());
        duration(value, &UNITS[..2], &bounds, place, errors)
    }

    fn describe(&self) -> Value {
        json!({ "type": "string", "pattern": "^[1-9][0-9]{0,8}[dw]$" })
    }
}

impl Plain for Days {
    fn json(&self, value: &Duration) -> Value {
        json!(written(value.as_secs(), &UNITS[1..2]))
    }
}

impl Shape for Size {
    type Value = u64;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<u64> {
        let text = string(value, place, errors)?;
        let Some(bytes) = quantity(text, &SIZES) else {
            let problem = Problem::BadSize { found: quoted(text) };
            let help = "write a whole number and a unit: \"500kB\", \"25MB\", \"1GB\"";
            errors.push(SpecError::new(place.clone(), problem).help(help));
            return None;
        };
        if bytes > self.0 {
            let bounds = format!("at most {}", written(self.0, &SIZES));
            let problem = Problem::OutOfBounds { found: quoted(text), bounds };
            errors.push(SpecError::new(place.clone(), problem));
            return None;
        }
        Some(bytes)
    }

    fn describe(&self) -> Value {
        json!({ "type": "string", "pattern": "^[1-9][0-9]{0,8}(kB|MB|GB)$" })
    }
}

impl Plain for Size {
    fn json(&self, value: &u64) -> Value {
        json!(written(*value, &SIZES))
    }
}

fn duration(
    value: &DeValue<'_>,
    units: &[(&str, u64)],
    bounds: &RangeInclusive<Duration>,
    place: &Place,
    errors: &mut Errors,
) -> Option<Duration> {
    let help = match units.len() {
        2 => "write a whole number of days or weeks: \"14d\", \"2w\"",
        _ => "write a whole number and a unit: \"90s\", \"15m\", \"12h\", \"7d\", \"2w\"",
    };
    if let DeValue::Integer(number) = value {
        let problem = Problem::BadDuration { found: quoted(number.as_str()) };
        errors.push(SpecError::new(place.clone(), problem).help(help));
        return None;
    }
    let text = string(value, place, errors)?;
    let Some(found) = quantity(text, units).map(Duration::from_secs) else {
        let problem = Problem::BadDuration { found: quoted(text) };
        errors.push(SpecError::new(place.clone(), problem).help(help));
        return None;
    };
    if !bounds.contains(&found) {
        let [least, most] = [bounds.start(), bounds.end()].map(|end| written(end.as_secs(), units));
        let problem =
            Problem::OutOfBounds { found: quoted(text), bounds: format!("{least} to {most}") };
        errors.push(SpecError::new(place.clone(), problem));
        return None;
    }
    Some(found)
}

/// `15m` in the smallest unit. At most nine digits, so that no product overflows.
pub fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (digits, size) =
        units.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, size)))?;
    let is_number = !digits.starts_with('0')
        && (1..=9).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { digits.parse::<u64>().ok().map(|count| count * size) } else { None }
}

/// The quantity in the greatest unit that fits it; in the smallest one, rounded down, when none does.
fn written(quantity: u64, units: &[(&str, u64)]) -> String {
    let fitting = units.iter().find(|(_, size)| quantity.is_multiple_of(*size)).or(units.last());
    fitting
        .map_or_else(|| quantity.to_string(), |(unit, size)| format!("{}{unit}", quantity / size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(quantity(text, &UNITS), expected);
    }

    #[test]
    fn durations_have_a_unit() {
        check("90s", Some(90));
        check("15m", Some(900));
        check("12h", Some(43_200));
        check("7d", Some(604_800));
        check("2w", Some(1_209_600));
    }

    #[test]
    fn other_texts_are_no_durations() {
        for bad in
            ["", "m", "0d", "07d", "7", "7 d", "7D", "-7d", "1.5h", "7dd", "１d", "9999999999s"]
        {
            check(bad, None);
        }
    }

    #[test]
    fn durations_are_written_in_the_greatest_unit() {
        assert_eq!(written(900, &UNITS), "15m");
        assert_eq!(written(604_800, &UNITS), "1w");
        assert_eq!(written(604_800, &UNITS[1..2]), "7d");
        assert_eq!(written(25_000_000, &SIZES), "25MB");
    }
}
