//! Programs that must not compile, each with what rustc says, and programs that must compile and run.

#[test]
fn macros() {
    let programs = trybuild::TestCases::new();
    programs.pass("tests/ui/pass/*.rs");
    programs.compile_fail("tests/ui/fail/*.rs");
}
