use astgen_pyast::prelude::*;

fn main() {
    names!(session);
    let _ = block![py!(session.commit())];
}
