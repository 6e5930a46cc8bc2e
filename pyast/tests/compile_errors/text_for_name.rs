//! A text that comes from outside becomes a name through `Name::parse` alone.
use astgen_pyast::prelude::*;

fn function(text: &str) -> FunctionDef {
    def(text)
}

fn main() {
    let _ = function("import os");
}
