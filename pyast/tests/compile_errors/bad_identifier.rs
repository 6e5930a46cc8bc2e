//! A constant name is checked when it is compiled.
use astgen_pyast::prelude::*;

const TYPE: Name = name("class");

fn main() {
    let _ = TYPE;
}
