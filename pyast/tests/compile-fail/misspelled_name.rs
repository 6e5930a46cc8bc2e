use astgen_pyast::prelude::*;

fn main() {
    names!(session);
    let _ = return_(py!(sesion.commit().await));
    let _ = session;
}
