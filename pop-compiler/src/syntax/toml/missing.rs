//! Brackets and quotes of several lines that nothing closes. Without a repair they would swallow the rest of the file: a
//! line that looks like a header or like a key says that they should have ended before it.

use std::cell::Cell;

use toml_parser::Source;
use toml_parser::lexer::{Token, TokenKind};

/// What is missing in a text.
pub(super) struct Missing {
    /// Where.
    pub(super) at: usize,
    pub(super) insert: String,
    /// So many bytes stand there instead.
    pub(super) cut: usize,
    /// Where that was opened which is to be closed.
    pub(super) opened: usize,
}

/// Repairs of one file.
const MOST: usize = 20;

/// Larger texts are not searched for quotes.
const MAX_TEXT: usize = 256 << 10;

/// Lines that are looked at to see whether a bracket is closed.
const FAR: usize = 500;

/// The text with what is missing in it.
fn with<'m>(text: &str, all: impl Iterator<Item = &'m Missing>) -> String {
    let mut new = text.to_owned();
    let mut all: Vec<&Missing> = all.collect();
    all.sort_by_key(|missing| missing.at);
    all.iter().rev().for_each(|missing| new.insert_str(missing.at, &missing.insert));
    new
}

/// What must be put in so that nothing that is open swallows other tables or keys; `count` says how many errors a text
/// has.
pub(super) fn repair(text: &str, count: &dyn Fn(&str) -> usize) -> Vec<Missing> {
    let mut found: Vec<Missing> = Vec::new();
    let mut from = 0;
    let mut asked = 0;
    let errors = Cell::new(None);
    let helps = |so_far: &[Missing], missing: &Missing| {
        let before = errors.get().unwrap_or_else(|| count(&with(text, so_far.iter())));
        let after = count(&with(text, so_far.iter().chain([missing])));
        errors.set(Some(before.min(after)));
        after < before
    };
    while asked < MOST
        && text.len() <= MAX_TEXT
        && let Some(missing) = open_text(text, from, &|missing| helps(&found, missing))
    {
        asked += 1;
        from = missing.at;
        found.push(missing);
    }
    // the lines that were in such a text are tables and keys again
    let closed = with(text, found.iter());
    let changes: Vec<(usize, usize)> = found.iter().map(|m| (m.at, m.insert.len())).collect();
    let back = |at: usize| {
        let mut longer = 0;
        for (place, length) in &changes {
            if place + longer < at {
                longer += length;
            }
        }
        at - longer
    };
    let brackets = open_brackets(&closed);
    found.extend(brackets.into_iter().map(|missing| Missing {
        at: back(missing.at),
        opened: back(missing.opened),
        ..missing
    }));
    found.sort_by_key(|missing| missing.at);
    found
}

/// The first text in three quotes behind `from` that has no end, or that ends where another one begins: then it holds
/// headers, and `helps` says that there are fewer errors when it ends before them.
fn open_text(text: &str, from: usize, helps: &dyn Fn(&Missing) -> bool) -> Option<Missing> {
    let rest = &text[from..];
    for token in Source::new(rest).lex() {
        if !matches!(token.kind(), TokenKind::MlBasicString | TokenKind::MlLiteralString) {
            continue;
        }
        let start = token.span().start();
        let raw = &rest[start..token.span().end()];
        let quotes = &raw[..3.min(raw.len())];
        let closed = raw.len() >= 6 && raw.ends_with(quotes);
        // the first line that looks like a key or a header, and the first that looks like a header
        let (mut end, mut key, mut header) = (start, None, None);
        for (i, line) in raw.split_inclusive('\n').enumerate() {
            let looks = if i > 0 && header.is_none() { looks(line) } else { Looks::Other };
            if looks != Looks::Other {
                key.get_or_insert(end);
            }
            if looks == Looks::Header {
                header = Some(end);
            }
            end += line.len();
        }
        let missing = |end: usize| {
            let kept = rest[..end].trim_end();
            // some of the quotes may be there
            let written = kept.len() - kept.trim_end_matches(&quotes[..1]).len();
            let there = if kept.len() > start + 3 && written < 3 { written } else { 0 };
            Missing {
                at: from + kept.len(),
                insert: quotes[there..].to_owned(),
                cut: 0,
                opened: from + start,
            }
        };
        if !closed {
            return Some(missing(key.unwrap_or(end)));
        }
        if let (Some(key), Some(header)) = (key, header)
            && let Some(found) = [key, header].map(missing).into_iter().find(|missing| helps(missing))
        {
            return Some(found);
        }
    }
    None
}

/// What a line looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looks {
    Header,
    Key,
    Other,
}

fn looks(line: &str) -> Looks {
    let tokens: Vec<Token> = Source::new(line).lex().into_vec();
    let tokens: Vec<(TokenKind, &str)> = tokens
        .iter()
        .filter(|token| !matches!(token.kind(), TokenKind::Whitespace | TokenKind::Comment))
        .map(|token| (token.kind(), &line[token.span().start()..token.span().end()]))
        .take_while(|(kind, _)| !matches!(kind, TokenKind::Newline | TokenKind::Eof))
        .collect();
    looks_of(&tokens)
}

fn looks_of(tokens: &[(TokenKind, &str)]) -> Looks {
    let is_key = |kind: TokenKind| {
        matches!(kind, TokenKind::Atom | TokenKind::BasicString | TokenKind::LiteralString | TokenKind::Dot)
    };
    let brackets = tokens.iter().take_while(|(kind, _)| *kind == TokenKind::LeftSquareBracket).count();
    let keys = tokens[brackets..].iter().take_while(|(kind, _)| is_key(*kind)).count();
    let rest = &tokens[brackets + keys..];
    if keys == 0 {
        return Looks::Other;
    }
    if brackets == 0 {
        let assigned = rest.first().is_some_and(|(kind, _)| *kind == TokenKind::Equals);
        return if assigned { Looks::Key } else { Looks::Other };
    }
    // a value is no word
    let (kind, word) = tokens[brackets];
    let named = kind == TokenKind::Atom
        && word.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && !["true", "false", "inf", "nan"].contains(&word);
    let ends = rest.iter().all(|(kind, _)| *kind == TokenKind::RightSquareBracket);
    if brackets <= 2 && named && ends { Looks::Header } else { Looks::Other }
}

/// A bracket that is open.
struct Open {
    close: char,
    at: usize,
    /// The indentation of its line.
    indent: usize,
}

/// The brackets that are not closed before a line which can't be between them.
fn open_brackets(text: &str) -> Vec<Missing> {
    let tokens: Vec<Token> = Source::new(text).lex().into_vec();
    let lines = Lines::new(text, &tokens);
    let mut found = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    // the end of the last token that is neither space nor comment
    let mut end = 0;
    for (n, line) in lines.all.iter().enumerate() {
        let looks = line.looks(text, &tokens);
        let inside = open.last().map(|open| open.close);
        let dedented = open.first().is_some_and(|open| line.indent <= open.indent);
        let never = || !lines.closes(n, open.len(), &tokens);
        let outside = match (inside, looks) {
            (None, _) | (_, Looks::Other) => false,
            (Some(_), Looks::Header) => dedented || never(),
            (Some(']'), Looks::Key) => never(),
            (Some(_), Looks::Key) => dedented && !text[..end].ends_with('{') && never(),
        };
        if outside {
            found.extend(close(&open, end));
            open.clear();
        }
        let header = open.is_empty() && looks == Looks::Header || open.is_empty() && line.is_header(&tokens);
        let before = open.len();
        for token in &tokens[line.tokens.clone()] {
            let (kind, span) = (token.kind(), token.span());
            match kind {
                TokenKind::Whitespace | TokenKind::Comment | TokenKind::Newline | TokenKind::Eof => continue,
                TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket if !header => {
                    let close = if kind == TokenKind::LeftSquareBracket { ']' } else { '}' };
                    open.push(Open { close, at: span.start(), indent: line.indent });
                }
                TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket if !header => {
                    let close = if kind == TokenKind::RightSquareBracket { ']' } else { '}' };
                    match open.iter().rposition(|open| open.close == close) {
                        Some(i) => {
                            found.extend(self::close(&open[i + 1..], end));
                            open.truncate(i);
                        }
                        None => found.extend(open.pop().map(|open| Missing {
                            at: span.start(),
                            insert: open.close.to_string(),
                            cut: 1,
                            opened: open.at,
                        })),
                    }
                }
                TokenKind::BasicString | TokenKind::LiteralString
                    if is_open(&text[span.start()..span.end()]) =>
                {
                    // it may hold brackets that were meant to close
                    open.truncate(before);
                }
                _ => {}
            }
            end = span.end();
        }
        if found.len() >= MOST {
            return found;
        }
    }
    found.extend(close(&open, end));
    found
}

/// What closes all that is open, at byte `end`.
fn close(open: &[Open], end: usize) -> Option<Missing> {
    let opened = open.last()?.at;
    Some(Missing { at: end, insert: open.iter().rev().map(|open| open.close).collect(), cut: 0, opened })
}

/// Whether a text of one line lacks its last quote.
fn is_open(raw: &str) -> bool {
    let quote = &raw[..1];
    raw.len() < 2 || !raw.ends_with(quote)
}

/// A line and its tokens.
struct Line {
    tokens: std::ops::Range<usize>,
    indent: usize,
}

impl Line {
    fn looks(&self, text: &str, tokens: &[Token]) -> Looks {
        let tokens: Vec<(TokenKind, &str)> = tokens[self.tokens.clone()]
            .iter()
            .filter(|token| !matches!(token.kind(), TokenKind::Whitespace | TokenKind::Comment))
            .take_while(|token| !matches!(token.kind(), TokenKind::Newline | TokenKind::Eof))
            .map(|token| (token.kind(), &text[token.span().start()..token.span().end()]))
            .collect();
        looks_of(&tokens)
    }

    /// Whether its first token opens a header.
    fn is_header(&self, tokens: &[Token]) -> bool {
        let first = tokens[self.tokens.clone()].iter().find(|token| token.kind() != TokenKind::Whitespace);
        first.is_some_and(|token| token.kind() == TokenKind::LeftSquareBracket)
    }
}

/// The lines of a text. One that has a text of several lines in it is longer.
struct Lines {
    all: Vec<Line>,
    /// Whether each looks like a header.
    headers: Vec<bool>,
}

impl Lines {
    fn new(text: &str, tokens: &[Token]) -> Self {
        let mut all = Vec::new();
        let mut start = 0;
        for (i, token) in tokens.iter().enumerate() {
            if matches!(token.kind(), TokenKind::Newline | TokenKind::Eof) {
                let first = tokens[start].span();
                let space = tokens[start].kind() == TokenKind::Whitespace;
                let indent = if space { first.end() - first.start() } else { 0 };
                all.push(Line { tokens: start..i + 1, indent });
                start = i + 1;
            }
        }
        let headers = all.iter().map(|line| line.looks(text, tokens) == Looks::Header).collect();
        Self { all, headers }
    }

    /// Whether so many brackets that are open before line `n` are closed before the next header.
    fn closes(&self, n: usize, open: usize, tokens: &[Token]) -> bool {
        let mut depth = open;
        for (line, header) in self.all[n..].iter().zip(&self.headers[n..]).take(FAR) {
            if *header {
                return false;
            }
            for token in &tokens[line.tokens.clone()] {
                match token.kind() {
                    TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
                    TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                        depth = depth.saturating_sub(1);
                    }
                    _ => continue,
                }
                if depth == 0 {
                    return true;
                }
            }
        }
        false
    }
}
