use astgen_pyast::{Name, name};

const CLASS: Name = name("class");

fn main() {
    let _ = CLASS;
}
