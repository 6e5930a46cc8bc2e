//! E-mail and web addresses.

use super::errors::Errors;
use super::shape::{Line, Shape};
use crate::spec::error::{Place, Problem, SpecError, quoted};
use serde_json::{Value, json};
use toml::de::DeValue;

/// An e-mail address.
pub struct EmailAddress;

/// An absolute `http` or `https` address.
pub struct WebAddress;

impl Shape for EmailAddress {
    type Value = String;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<String> {
        let text = Line(3..=254).read(value, place, errors)?;
        checked(text, is_email, "an e-mail address", place, errors)
    }

    fn describe(&self) -> Value {
        json!({ "type": "string", "pattern": "^[^@\\s]+@[^@\\s]+$", "maxLength": 254 })
    }
}

impl Shape for WebAddress {
    type Value = String;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<String> {
        let text = Line(8..=2000).read(value, place, errors)?;
        checked(text, is_web_address, "an address with http:// or https://", place, errors)
    }

    fn describe(&self) -> Value {
        json!({ "type": "string", "pattern": "^https?://[!-~]+$", "maxLength": 2000 })
    }
}

fn checked(
    text: String,
    is_good: fn(&str) -> bool,
    expected: &'static str,
    place: &Place,
    errors: &mut Errors,
) -> Option<String> {
    if is_good(&text) {
        return Some(text);
    }
    let problem = Problem::BadText { found: quoted(&text), expected };
    errors.push(SpecError::new(place.clone(), problem));
    None
}

fn is_email(text: &str) -> bool {
    let is_domain = |domain: &str| {
        domain.contains('.')
            && domain.split('.').all(|label| {
                !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            })
    };
    let is_local = |local: &str| {
        !local.is_empty()
            && local
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b))
    };
    text.split_once('@').is_some_and(|(local, domain)| is_local(local) && is_domain(domain))
}

fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
            && rest.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'<' && b != b'>')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_addresses_are_plain() {
        assert!(is_email("no-reply@mail.example.com"));
        for bad in
            ["", "a", "@b.c", "a@", "a@b", "a b@c.d", "a@b..c", "a@b.c\nBcc: d@e.f", "a@b@c.d"]
        {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn web_addresses_are_absolute() {
        assert!(is_web_address("https://example.com/a?b=c#d"));
        for bad in
            ["", "example.com", "ftp://example.com", "https://", "https:// a", "https://a\"b"]
        {
            assert!(!is_web_address(bad), "{bad}");
        }
    }
}
