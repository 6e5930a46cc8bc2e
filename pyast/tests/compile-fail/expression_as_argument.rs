use astgen_pyast::prelude::*;

fn main() {
    names!(user, session);
    let _ = session.call([py!(user.id)]);
}
