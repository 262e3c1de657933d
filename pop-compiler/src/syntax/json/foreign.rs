//! Texts in another language than their file's name says.

use super::tokens::{Kind, Token};

/// What a text that should be JSON is instead.
pub(super) fn in_json(text: &str, tokens: &[Token]) -> Option<&'static str> {
    let first = tokens.first()?;
    let line = text[first.start..].lines().next().unwrap_or_default().trim();
    if line.starts_with("---") {
        return Some(
            "expected JSON, found YAML. Write JSON, or write TOML in a file whose name ends in `.toml`",
        );
    }
    let header = line
        .strip_prefix('[')
        .and_then(|rest| rest.trim_end().strip_suffix(']'))
        .is_some_and(|name| name.trim_matches(['[', ']']).starts_with(|c: char| c.is_alphabetic()));
    let second = tokens.get(1).map(|token| token.kind);
    match first.kind {
        Kind::Open(b'[') if header && !["true", "false", "null"].contains(&line.trim_matches(['[', ']'])) => {
            Some("expected JSON, found TOML. Let the file name end in `.toml`")
        }
        Kind::Word if second == Some(Kind::Equals) => {
            Some("expected JSON, found TOML. Let the file name end in `.toml`")
        }
        Kind::Word if second == Some(Kind::Colon) => {
            Some("expected JSON, found YAML. Write JSON, or write TOML in a file whose name ends in `.toml`")
        }
        _ => None,
    }
}
