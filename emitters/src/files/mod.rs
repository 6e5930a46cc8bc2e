//! The files that are not Python, from typed values.

pub mod env_example;
pub mod gitignore;
pub mod pyproject;
pub mod requirements;

mod dependency;
mod dotenv;

mod lock;

mod toml_document;
