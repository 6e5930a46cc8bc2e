//! So is the module of an import.
use astgen_pyast::Import;

const SELECT: Import = astgen_pyast::import("sql alchemy", "select");

fn main() {
    let _ = SELECT;
}
