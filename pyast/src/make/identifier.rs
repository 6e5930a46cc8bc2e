//! Where Python's grammar wants an identifier: attributes, keywords, definitions.

use crate::name::{Import, Name, name};

/// What can stand as an identifier: a [`Name`], an [`Import`] (the name it binds), or a text of
/// astgen's own source. Texts that come from outside have no `'static` lifetime: they go through
/// [`Name::parse`].
pub trait Identifier {
    /// The checked identifier.
    ///
    /// # Panics
    /// A `&'static str` that Python does not read as a name: a mistake in the emitter.
    ///
    /// ```
    /// use astgen_pyast::make::Identifier;
    /// assert_eq!("email".identifier().as_str(), "email");
    /// ```
    fn identifier(self) -> Name;
}

impl Identifier for Name {
    fn identifier(self) -> Name {
        self
    }
}

impl Identifier for Import {
    fn identifier(self) -> Name {
        self.binding()
    }
}

impl Identifier for &'static str {
    fn identifier(self) -> Name {
        name(self)
    }
}
