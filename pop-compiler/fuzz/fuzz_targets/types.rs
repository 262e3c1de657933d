//! See `pop_compiler_fuzz::types`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| pop_compiler_fuzz::types(text));
