//! Programs that must not compile, each with what rustc says, and programs that must compile and run.

#[test]
fn wrong_programs_are_refused_at_the_users_own_words() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

#[test]
fn right_programs_compile_and_run() {
    trybuild::TestCases::new().pass("tests/ui-pass/*.rs");
}
