//! `py!` makes expressions; statements are functions.
use astgen_pyast::prelude::*;

fn main() {
    names!(user);
    let _ = py!(return user);
}
