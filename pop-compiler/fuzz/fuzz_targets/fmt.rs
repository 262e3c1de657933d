//! See `pop_compiler_fuzz::fmt`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| pop_compiler_fuzz::fmt(text));
