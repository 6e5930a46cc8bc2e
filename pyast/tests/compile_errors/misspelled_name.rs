//! A Python name is a Rust binding, so a misspelled one is unknown to rustc.
use astgen_pyast::prelude::*;

fn main() {
    names!(invitation);
    let _ = py!(invitatoin.email);
}
