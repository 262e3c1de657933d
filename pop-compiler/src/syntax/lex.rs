//! Both formats as one kind of tokens, for tools that change texts. Nothing is checked.

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use crate::source::Format;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Space,
    Newline,
    Comment,
    Open,
    Close,
    Comma,
    Dot,
    Equals,
    Colon,
    /// A name, a number, a string.
    Word,
}

/// A piece of the text; all of them together are the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'t> {
    pub(crate) kind: Kind,
    pub(crate) text: &'t str,
}

pub(crate) fn lex(text: &str, format: Format) -> Vec<Token<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format {
        Format::Toml => toml(text),
        Format::Json => json(text),
    }
}

fn toml(text: &str) -> Vec<Token<'_>> {
    let tokens = Source::new(text).lex().into_vec();
    tokens
        .into_iter()
        .filter_map(|token| {
            let kind = match token.kind() {
                TokenKind::Dot => Kind::Dot,
                TokenKind::Equals => Kind::Equals,
                TokenKind::Comma => Kind::Comma,
                TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => Kind::Open,
                TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => Kind::Close,
                TokenKind::Whitespace => Kind::Space,
                TokenKind::Comment => Kind::Comment,
                TokenKind::Newline => Kind::Newline,
                TokenKind::Eof => return None,
                _ => Kind::Word,
            };
            let span = token.span();
            Some(Token { kind, text: text.get(span.start()..span.end())? })
        })
        .collect()
}

fn json(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = match first {
            '\n' => (Kind::Newline, 1),
            c if c.is_whitespace() => (Kind::Space, c.len_utf8()),
            '{' | '[' => (Kind::Open, 1),
            '}' | ']' => (Kind::Close, 1),
            ',' => (Kind::Comma, 1),
            ':' => (Kind::Colon, 1),
            '"' => (Kind::Word, string(rest)),
            '/' if rest.starts_with("/*") => {
                (Kind::Comment, rest[2..].find("*/").map_or(rest.len(), |n| n + 4))
            }
            '/' => (Kind::Comment, rest.find('\n').unwrap_or(rest.len())),
            _ => {
                let end =
                    |c: char| c.is_whitespace() || matches!(c, '{' | '}' | '[' | ']' | ',' | ':' | '"' | '/');
                (Kind::Word, rest.find(end).unwrap_or(rest.len()))
            }
        };
        let (text, after) = rest.split_at(length.max(1).min(rest.len()));
        tokens.push(Token { kind, text });
        rest = after;
    }
    tokens
}

/// The length of the string that the text begins with, quotes included.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (i, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return i + 1,
            _ => {}
        }
    }
    text.len()
}
