//! What astgen generates.
#![forbid(unsafe_code)]
