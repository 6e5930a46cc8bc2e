//! What astgen generates.
#![forbid(unsafe_code)]

pub mod spec;
