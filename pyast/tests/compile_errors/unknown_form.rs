//! A form that `py!` does not know is named with those that it knows.
use astgen_pyast::prelude::*;

fn main() {
    names!(user, users);
    let _ = py!(is_in!(user, users));
}
