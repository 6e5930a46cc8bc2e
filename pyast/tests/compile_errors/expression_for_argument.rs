//! A call takes arguments, which say whether they are positional: `arg(user)` or `kw(name("user"), user)`.
use astgen_pyast::prelude::*;

fn main() {
    names!(send, user);
    let _ = send.call([user]);
}
