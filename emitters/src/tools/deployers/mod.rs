//! `tools/deployers/`

pub mod base;
pub mod fly;
pub mod render;
