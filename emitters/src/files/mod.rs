//! The files that are not Python, from typed values.

pub mod backend_readme;
pub mod common_passwords;
pub mod env_example;
pub mod gitignore;
pub mod pyproject;
pub mod requirements;
pub mod revision_template;
pub mod root_readme;

mod dependency;
mod dotenv;
mod facts;
mod lock;
mod markdown;
mod toml_document;

use crate::Generated;
use crate::spec::Spec;

/// Every file that is not Python.
#[must_use]
pub fn emit(spec: &Spec) -> Vec<Generated> {
    let mut files = requirements::emit(spec);
    files.extend([
        backend_readme::emit(spec),
        common_passwords::emit(),
        env_example::emit(spec),
        gitignore::emit(),
        pyproject::emit(spec),
        revision_template::emit(),
        root_readme::emit(spec),
    ]);
    files
}

#[cfg(test)]
mod tests;
