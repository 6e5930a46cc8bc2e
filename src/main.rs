//! The `astgen` command line.
#![forbid(unsafe_code)]

fn main() {}
