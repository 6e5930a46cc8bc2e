//! What a text in a spec may be made of.

/// The first character that has no place in a title, a description or a default: controls, line
/// separators, and what reorders or hides the text around it.
#[must_use]
pub fn unprintable(text: &str) -> Option<char> {
    text.chars().find(|&c| c.is_control() || is_invisible(c))
}

/// Line separators, bidirectional controls and characters without width. They would survive in a
/// Python string, but make the code read differently from what it does.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{061C}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{FFFE}' | '\u{FFFF}'
            | '\u{E0000}'..='\u{E007F}'
    )
}

/// Whether a text is a name in snake case: `due_at`.
#[must_use]
pub fn is_snake_case(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.split('_').all(is_word)
}

/// The nearest snake case name, for a suggestion: `DueAt`, `due-at` and `due at` are `due_at`.
#[must_use]
pub fn to_snake_case(text: &str) -> Option<String> {
    let mut name = String::new();
    let mut was_lower = false;
    for c in text.chars().take(60) {
        if c.is_ascii_uppercase() && was_lower || !c.is_ascii_alphanumeric() {
            separate(&mut name);
        }
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        }
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    let name = name.trim_matches('_').trim_start_matches(|c: char| !c.is_ascii_lowercase());
    is_snake_case(name).then(|| name.to_owned())
}

fn separate(name: &mut String) {
    if !name.ends_with('_') {
        name.push('_');
    }
}

/// Snake case as a class: `purchase_order` is `PurchaseOrder`.
#[must_use]
pub fn pascal_case(name: &str) -> String {
    name.split('_').map(capitalized).collect()
}

/// Snake case as people read it: `purchase_order` is `Purchase order`.
#[must_use]
pub fn title(name: &str) -> String {
    capitalized(&name.replace('_', " "))
}

/// Regular English: `box` is `boxes`, `company` is `companies`, `day` is `days`.
#[must_use]
pub fn plural(noun: &str) -> String {
    let lower = noun.to_ascii_lowercase();
    let ends_with = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));
    if lower.ends_with('y') && !ends_with(&["ay", "ey", "iy", "oy", "uy"]) {
        return format!("{}ies", &noun[..noun.len() - 1]);
    }
    let ending = if ends_with(&["s", "x", "z", "ch", "sh"]) { "es" } else { "s" };
    format!("{noun}{ending}")
}

/// A member of a Python enum for any text: `in progress` is `IN_PROGRESS`. `None` when nothing of
/// the text can be in an identifier.
#[must_use]
pub fn constant(value: &str) -> Option<String> {
    let mut name = String::new();
    for c in value.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_uppercase());
        } else if !name.is_empty() {
            separate(&mut name);
        }
    }
    let name = name.trim_end_matches('_');
    match name.chars().next() {
        None => None,
        Some(first) if first.is_ascii_digit() => Some(format!("VALUE_{name}")),
        Some(_) => Some(name.to_owned()),
    }
}

/// The candidate that a misspelled text most likely means.
#[must_use]
pub fn closest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 64;
    if text.len() > LONGEST {
        return None;
    }
    let most = 1 + text.len() / 4;
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(text.len()) <= most)
        .map(|candidate| (strsim::osa_distance(text, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    match chars.next() {
        Some(first) => first.to_ascii_uppercase().to_string() + chars.as_str(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(actual: Option<impl AsRef<str>>, expected: &str) {
        assert_eq!(actual.as_ref().map_or("", AsRef::as_ref), expected);
    }

    #[test]
    fn plurals_are_regular() {
        for (noun, many) in [
            ("task", "tasks"),
            ("box", "boxes"),
            ("status", "statuses"),
            ("branch", "branches"),
            ("company", "companies"),
            ("day", "days"),
            ("Purchase Policy", "Purchase Policies"),
            ("straß", "straßs"),
        ] {
            check(Some(plural(noun)), many);
        }
    }

    #[test]
    fn snake_case_is_strict() {
        for good in ["a", "due_at", "line2", "a_2b"] {
            assert!(is_snake_case(good), "{good}");
        }
        for bad in ["", "_a", "a_", "a__b", "A", "2a", "ä", "a-b", "a b", "a\0"] {
            assert!(!is_snake_case(bad), "{bad}");
        }
    }

    #[test]
    fn snake_case_is_found_for_other_cases() {
        check(to_snake_case("DueAt"), "due_at");
        check(to_snake_case("due-at"), "due_at");
        check(to_snake_case("_Due  At2_"), "due_at2");
        check(to_snake_case("HTTPUrl"), "httpurl");
        check(to_snake_case("2nd"), "nd");
        check(to_snake_case("日本"), "");
    }

    #[test]
    fn constants_are_identifiers() {
        check(constant("in progress"), "IN_PROGRESS");
        check(constant("A+"), "A");
        check(constant("1st"), "VALUE_1ST");
        check(constant(" - "), "");
    }

    #[test]
    fn closest_is_near_or_nothing() {
        let keys = ["organizations", "tenancy", "billing"];
        check(closest("organisations", keys), "organizations");
        check(closest("biling", keys), "billing");
        check(closest("zoo", keys), "");
    }
}
