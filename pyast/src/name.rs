//! Python identifiers, and names that another module defines.

use foldhash::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{LazyLock, Mutex, PoisonError};

/// A Python identifier. The only ways to make one are [`name`], which refuses a bad
/// identifier in a `const` at compile time, and [`Name::parse`], which returns an error.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(&'static str);

/// A name that another Python module defines. Used anywhere in a tree, it brings its import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// The module to import from, dotted: `sqlalchemy.orm`.
    pub module: &'static str,
    /// The imported name; `None` for `import module` itself.
    pub name: Option<Name>,
    /// The name it is bound to, where that is not the imported name: `import sqlalchemy as sa`.
    pub alias: Option<Name>,
}

/// A text from outside that cannot be a Python name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a Python identifier{}", if *.is_keyword { " (it is a reserved word)" } else { "" })]
pub struct NotAnIdentifier {
    /// The refused text.
    pub text: String,
    /// Whether the text is refused because Python reserves it.
    pub is_keyword: bool,
}

/// The hard keywords of Python 3.12; soft ones (`match`, `case`, `type`, `_`) are names.
pub const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// A Python name known when astgen is compiled.
///
/// # Panics
/// When `id` is not an ASCII identifier or is a reserved word; in a `const` that is a compile error.
///
/// ```
/// use astgen_pyast::{Name, name};
/// const SESSION: Name = name("session");
/// assert_eq!(SESSION.as_str(), "session");
/// ```
#[must_use]
pub const fn name(id: &'static str) -> Name {
    assert!(is_ascii_identifier(id), "not a Python identifier");
    Name(id)
}

/// The identifier without the mark by which Rust tells it from a keyword: `r#type` is `type`.
///
/// ```
/// assert_eq!(astgen_pyast::name::unraw("r#type"), "type");
/// ```
#[must_use]
pub const fn unraw(id: &'static str) -> &'static str {
    match id.as_bytes() {
        [b'r', b'#', ..] => id.split_at(2).1,
        _ => id,
    }
}

/// `from module import name`, brought in wherever the returned value is used in a tree.
///
/// # Panics
/// When either part is not made of identifiers; in a `const` that is a compile error.
///
/// ```
/// use astgen_pyast::{Import, import};
/// const SELECT: Import = import("sqlalchemy", "select");
/// assert_eq!(SELECT.binding().as_str(), "select");
/// ```
#[must_use]
pub const fn import(module: &'static str, id: &'static str) -> Import {
    assert!(is_dotted_name(module), "not a Python module name");
    Import { module, name: Some(name(id)), alias: None }
}

/// `import module`, for a module that is used by its own name.
///
/// # Panics
/// When `module` is not a single identifier; in a `const` that is a compile error.
///
/// ```
/// use astgen_pyast::import_module;
/// assert_eq!(import_module("stripe").binding().as_str(), "stripe");
/// ```
#[must_use]
pub const fn import_module(module: &'static str) -> Import {
    assert!(is_ascii_identifier(module), "not a Python module name");
    Import { module, name: None, alias: None }
}

/// The dotted name of a module, from names that come from outside.
///
/// # Errors
/// When one of its parts is not an identifier.
///
/// ```
/// use astgen_pyast::name::module_name;
/// assert_eq!(module_name("app.models.project").unwrap(), "app.models.project");
/// assert!(module_name("app.models.class").is_err());
/// ```
pub fn module_name(text: &str) -> Result<&'static str, NotAnIdentifier> {
    for part in text.split('.') {
        Name::parse(part)?;
    }
    Ok(intern(text))
}

impl Name {
    /// Checks a name that comes from outside, a spec or a file.
    ///
    /// # Errors
    /// When Python would not read `text` as a name. Only ASCII is accepted: Python compares other
    /// identifiers by their NFKC form, so two spellings could be one name.
    ///
    /// ```
    /// use astgen_pyast::Name;
    /// assert!(Name::parse("invoice").is_ok());
    /// assert!(Name::parse("class").is_err());
    /// assert!(Name::parse("x = 1").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Name, NotAnIdentifier> {
        if is_ascii_identifier(text) {
            Ok(Name(intern(text)))
        } else {
            Err(NotAnIdentifier { text: text.to_owned(), is_keyword: is_keyword(text) })
        }
    }

    /// The identifier's text.
    ///
    /// ```
    /// assert_eq!(astgen_pyast::name("user").as_str(), "user");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl Import {
    /// `from module import name` for names that come from outside.
    ///
    /// # Errors
    /// When a part of `module` is not an identifier.
    ///
    /// ```
    /// use astgen_pyast::{Import, Name};
    /// let project = Name::parse("Project").unwrap();
    /// assert_eq!(Import::parse("app.models.project", project).unwrap().module, "app.models.project");
    /// ```
    pub fn parse(module: &str, name: Name) -> Result<Import, NotAnIdentifier> {
        Ok(Import { module: module_name(module)?, name: Some(name), alias: None })
    }

    /// The same import under another name: `import sqlalchemy as sa`.
    ///
    /// ```
    /// use astgen_pyast::{import_module, name};
    /// assert_eq!(import_module("sqlalchemy").named(name("sa")).binding().as_str(), "sa");
    /// ```
    #[must_use]
    pub const fn named(self, alias: Name) -> Import {
        Import { module: self.module, name: self.name, alias: Some(alias) }
    }

    /// The name this import binds in the importing module.
    ///
    /// ```
    /// assert_eq!(astgen_pyast::import("fastapi", "Depends").binding().as_str(), "Depends");
    /// ```
    #[must_use]
    pub const fn binding(self) -> Name {
        match (self.alias, self.name) {
            (Some(alias), _) => alias,
            (None, Some(name)) => name,
            (None, None) => Name(self.module),
        }
    }
}

/// Two modules rarely bring one name, and the name is the shorter text.
impl Hash for Import {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.binding().hash(state);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Names are `Copy`, so that a Python name in an emitter is an ordinary `let`: texts from outside
/// live as long as the process. A spec has some thousand different names at the most.
fn intern(text: &str) -> &'static str {
    static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = names.get(text) {
        return known;
    }
    let known: &'static str = Box::leak(text.to_owned().into_boxed_str());
    names.insert(known);
    known
}

const fn is_dotted_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut start = true;
    let mut i = 0;
    while i < bytes.len() {
        let byte = bytes[i];
        let is_letter = byte.is_ascii_alphabetic() || byte == b'_';
        if !(is_letter || !start && (byte == b'.' || byte.is_ascii_digit())) {
            return false;
        }
        start = byte == b'.';
        i += 1;
    }
    !start
}

const fn is_ascii_identifier(id: &str) -> bool {
    let bytes = id.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        let byte = bytes[i];
        let is_letter = byte.is_ascii_alphabetic() || byte == b'_';
        if !(is_letter || i > 0 && byte.is_ascii_digit()) {
            return false;
        }
        i += 1;
    }
    !bytes.is_empty() && !is_keyword(id)
}

const fn is_keyword(id: &str) -> bool {
    let mut i = 0;
    while i < KEYWORDS.len() {
        if is_same(KEYWORDS[i].as_bytes(), id.as_bytes()) {
            return true;
        }
        i += 1;
    }
    false
}

const fn is_same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut i = 0;
    while i < left.len() {
        if left[i] != right[i] {
            return false;
        }
        i += 1;
    }
    true
}
