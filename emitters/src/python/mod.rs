//! Vocabularies: the names that Python libraries define, one module a library, each with the few shapes
//! in which the emitted code uses them.

pub mod builtins;
pub mod fastapi;
pub mod prometheus;
pub mod pydantic;
pub mod pytest;
pub mod sqlalchemy;
pub mod standard;
pub mod stripe;
