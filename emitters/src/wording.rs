//! English sentences about what a spec names.

/// The width of a line of text in the body of a class.
const WIDTH: usize = 84;

/// A title inside a sentence: `Purchase order` is `purchase order`, `API key` stays.
#[must_use]
pub fn noun(title: &str) -> String {
    let mut chars = title.chars();
    let Some(first) = chars.next() else { return String::new() };
    let rest = chars.as_str();
    if rest.starts_with(char::is_uppercase) {
        return title.to_owned();
    }
    first.to_lowercase().chain(rest.chars()).collect()
}

/// A title at the start of a sentence: `projects` is `Projects`.
#[must_use]
pub fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(chars).collect()
}

/// A noun with its article, by how it most likely sounds: `a project`, `an SLA`, `a user`.
#[must_use]
pub fn indefinite(noun: &str) -> String {
    let word = noun.split(' ').next().unwrap_or(noun);
    let lower = word.to_lowercase();
    let starts_with = |starts: &[&str]| starts.iter().any(|start| lower.starts_with(start));
    // Spelled letter by letter.
    let is_acronym = word.chars().take(2).filter(|c| c.is_uppercase()).count() == 2;
    let is_vowel = if is_acronym {
        word.starts_with(|c| "AEFHILMNORSX".contains(c))
    } else if starts_with(&["uni", "use", "usa", "eu", "one", "once"]) {
        starts_with(&["unin", "unim"])
    } else {
        starts_with(&["a", "e", "i", "o", "u", "hour", "honest", "honor", "heir"])
    };
    format!("{} {noun}", if is_vowel { "an" } else { "a" })
}

/// `a`, `a or b`, `a, b or c`.
#[must_use]
pub fn alternatives(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A docstring of a class: a summary, and below it what the spec says, in lines that fit.
#[must_use]
pub fn documented(summary: impl Into<String>, description: &str) -> String {
    let mut doc = summary.into();
    let mut column = WIDTH;
    for word in description.split_whitespace() {
        let width = word.chars().count();
        if column == WIDTH && !doc.ends_with('\n') {
            doc.push_str("\n\n");
            column = 0;
        } else if column + 1 + width > WIDTH {
            doc.push('\n');
            column = 0;
        } else {
            doc.push(' ');
            column += 1;
        }
        doc.push_str(word);
        column += width;
    }
    doc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_stand_in_sentences() {
        let cases = [
            ("Purchase order", "a purchase order"),
            ("Item", "an item"),
            ("API key", "an API key"),
            ("URL", "a URL"),
            ("User", "a user"),
            ("Unit", "a unit"),
            ("Uninvited guest", "an uninvited guest"),
            ("Hour", "an hour"),
            ("Ärgernis", "a ärgernis"),
        ];
        for (title, expected) in cases {
            assert_eq!(indefinite(&noun(title)), expected);
        }
    }

    #[test]
    fn alternatives_are_listed() {
        let items = ["name", "code", "place"].map(str::to_owned);
        assert_eq!(alternatives(&items[..1]), "name");
        assert_eq!(alternatives(&items[..2]), "name or code");
        assert_eq!(alternatives(&items), "name, code or place");
    }

    #[test]
    fn descriptions_are_wrapped_below_the_summary() {
        assert_eq!(documented("A task.", ""), "A task.");
        assert_eq!(documented("A task.", "To be done."), "A task.\n\nTo be done.");
        let long = documented("A task.", &"seven77 ".repeat(30));
        let lines: Vec<&str> = long.lines().collect();
        assert_eq!(lines[..2], ["A task.", ""]);
        assert_eq!(lines[2..].iter().map(|line| line.len()).collect::<Vec<_>>(), [79, 79, 79]);
        let unbroken = "x".repeat(100);
        assert_eq!(documented("A.", &unbroken), format!("A.\n\n{unbroken}"));
        assert_eq!(documented("A.", &format!("a {unbroken} b")), format!("A.\n\na\n{unbroken}\nb"));
    }
}
