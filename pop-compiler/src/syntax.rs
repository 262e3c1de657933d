//! The front ends: source text in, spanned [`Tree`] out. What the keys mean is decided in `decode`.

mod extents;
mod json;
mod lex;
pub(crate) mod rules;
mod toml;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Format};
use crate::tree::Tree;

pub(crate) use extents::comments;
pub(crate) use lex::{Kind, Token, lex};

/// Reads `text`; the root is a table, even when the text is broken.
pub(crate) fn parse(file: FileId, text: &str, format: Format, out: &mut Vec<Diagnostic>) -> Tree {
    match format {
        Format::Toml => toml::parse(file, text, out),
        Format::Json => json::parse(file, text, out),
    }
}
