//! Files of environment variables, as python-dotenv reads them.

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// An empty line.
    Blank,
    /// A remark; of one line.
    Comment(String),
    /// A variable with a value.
    Variable(String, String),
    /// A variable that has no value until someone gives it one.
    Unset(String),
}

/// The text of the file.
#[must_use]
pub fn print(lines: &[Line]) -> String {
    lines.iter().map(line).collect()
}

fn line(line: &Line) -> String {
    match line {
        Line::Blank => "\n".to_owned(),
        Line::Comment(text) => format!("# {}\n", text.replace(['\r', '\n'], " ")),
        Line::Variable(name, value) => format!("{name}={}\n", quoted(value)),
        Line::Unset(name) => format!("# {name}=\n"),
    }
}

/// A value as it stands in the file: in single quotes unless every reader takes it bare.
///
/// `${…}` is expanded even in quotes; an expansion whose default is `$` is how a `$` is written.
fn quoted(value: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_-./:+@,%".contains(c);
    if value.chars().all(is_bare) {
        return value.to_owned();
    }
    let escaped = value.replace('\\', "\\\\").replace('\'', "\\'").replace("${", "${:-$}{");
    format!("'{escaped}'")
}
