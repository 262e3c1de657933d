//! See `pop_compiler_fuzz::toml_source`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| pop_compiler_fuzz::toml_source(text));
