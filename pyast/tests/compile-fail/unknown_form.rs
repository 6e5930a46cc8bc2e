use astgen_pyast::prelude::*;

fn main() {
    names!(rows);
    let _ = py!(first!(rows));
}
