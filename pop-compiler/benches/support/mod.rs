//! Workflows of any size, as the benchmarks of this folder compile them.

use std::fmt::Write as _;

use pop_compiler::Format;

/// Whom operation `i` reads.
fn upstream(shape: &str, i: usize) -> Option<usize> {
    match shape {
        // each operation reads the one before it; or else all read the first
        "chain" => i.checked_sub(1),
        _ => (i > 0).then_some(0),
    }
}

/// A workflow of `n` operations as text.
pub(crate) fn workflow(shape: &str, n: usize, format: Format) -> String {
    let mut text = String::from(match format {
        Format::Toml => "[workflow]\nname = \"bench\"\n",
        Format::Json => "{\"workflow\": {\"name\": \"bench\"}, \"operations\": {",
    });
    for i in 0..n {
        let value = upstream(shape, i).map_or("source".to_owned(), |up| format!("${{step{up}.value}}-{i}"));
        let comma = if i == 0 { "" } else { "," };
        let _ = match format {
            Format::Toml => write!(
                text,
                "\n[operations.step{i}]\nuses = \"pop.transform\"\nwith = {{ value = {{ value = \"{value}\", height = {i} }} }}\ntimeout = \"2h\"\n"
            ),
            Format::Json => write!(
                text,
                "{comma}\n\"step{i}\": {{\"uses\": \"pop.transform\", \"with\": {{\"value\": {{\"value\": \"{value}\", \"height\": {i}}}}}, \"timeout\": \"2h\"}}"
            ),
        };
    }
    if format == Format::Json {
        text += "}}";
    }
    text
}

/// The name of a format in the names of benchmarks.
pub(crate) fn name(format: Format) -> &'static str {
    match format {
        Format::Toml => "toml",
        Format::Json => "json",
    }
}
