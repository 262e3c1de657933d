//! See `pop_compiler_fuzz::agenda_json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| pop_compiler_fuzz::agenda_json(text));
