//! The `py!` macro.
#![forbid(unsafe_code)]
