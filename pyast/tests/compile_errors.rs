//! What rustc says to the author of an emitter. `TRYBUILD=overwrite` writes the messages anew.

#[test]
fn mistakes_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_errors/*.rs");
}
