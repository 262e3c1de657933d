//! See `pop_compiler_fuzz::fix`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| pop_compiler_fuzz::fix(text));
