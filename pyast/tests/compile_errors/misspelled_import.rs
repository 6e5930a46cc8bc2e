//! What no vocabulary holds cannot be used.
use astgen_pyast::prelude::*;

mod fastapi {
    astgen_pyast::vocabulary! {
        "fastapi": Depends;
    }
}

fn main() {
    let _ = py!(fastapi::Depend(1));
}
