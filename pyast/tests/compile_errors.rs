//! The compile errors that emitter authors meet.

#[test]
fn mistakes_in_emitters_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile-fail/*.rs");
}
