//! A body holds statements: `do_(…)` makes one of a call.
use astgen_pyast::prelude::*;

fn main() {
    names!(send, ready);
    let _ = if_(ready, [py!(send())]);
}
