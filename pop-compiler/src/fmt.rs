//! Canonical form of a file. Spaces, indentation and blank lines become canonical. Words, their order, comments and the
//! breaks inside lists and tables stay. The formatter adds, moves or removes no token, except commas that end a list on
//! one line.

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Format};
use crate::syntax::{self, Kind, Token, lex};
use crate::tree::{Node, Tree};

/// The text in its canonical form.
///
/// # Errors
/// The syntax errors of the text.
pub fn format(text: &str, format: Format) -> Result<String, Vec<Diagnostic>> {
    let mut findings = Vec::new();
    let before = syntax::parse(FileId(0), text, format, &mut findings);
    if !findings.is_empty() {
        return Err(findings);
    }
    let mut printer =
        Printer { format, out: String::with_capacity(text.len() + 64), open: Vec::new(), header: false };
    let lines = lines(lex(text, format));
    printer.print(&lines);
    let formatted = printer.out;
    // A formatter must not change what a file says. Should it ever, the file stays as it is.
    let after = syntax::parse(FileId(0), &formatted, format, &mut findings);
    let same = findings.is_empty() && same(&before, &after);
    Ok(if same { formatted } else { text.to_owned() })
}

/// Whether two texts have the same meaning, regardless of spans. Recursion is bounded by the depth of the source.
fn same(a: &Tree, b: &Tree) -> bool {
    match (&a.node, &b.node) {
        (Node::Error, Node::Error) | (Node::Null, Node::Null) => true,
        (Node::Bool(a), Node::Bool(b)) => a == b,
        (Node::Number(a), Node::Number(b)) => a == b,
        (Node::String(a), Node::String(b)) => a.value == b.value,
        (Node::List(a), Node::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Node::Table(a), Node::Table(b)) => {
            a.entries.len() == b.entries.len()
                && a.entries
                    .iter()
                    .zip(&b.entries)
                    .all(|(a, b)| a.key.value == b.key.value && same(&a.value, &b.value))
        }
        _ => false,
    }
}

/// A line without the spaces at its ends; `spaced` says whether there was space before a token.
struct Line<'t> {
    tokens: Vec<(Token<'t>, bool)>,
}

fn lines(tokens: Vec<Token<'_>>) -> Vec<Line<'_>> {
    let mut lines = vec![Line { tokens: Vec::new() }];
    let mut spaced = false;
    for token in tokens {
        match token.kind {
            Kind::Newline => lines.push(Line { tokens: Vec::new() }),
            Kind::Space => {
                spaced = true;
                continue;
            }
            _ => {
                if let Some(line) = lines.last_mut() {
                    line.tokens.push((token, spaced));
                }
            }
        }
        spaced = false;
    }
    lines
}

struct Printer {
    format: Format,
    out: String,
    /// Indentation of the line that opened each open bracket.
    open: Vec<usize>,
    /// Whether the last printed line was a table's header.
    header: bool,
}

impl Printer {
    fn print(&mut self, lines: &[Line<'_>]) {
        let mut blank = false;
        for (i, line) in lines.iter().enumerate() {
            if line.tokens.is_empty() {
                blank = true;
                continue;
            }
            let after_bracket = self.out.trim_end().ends_with(['[', '{', '(']) && !self.open.is_empty();
            let apart = (blank && !self.header && !after_bracket && !starts_with_close(line))
                || (self.open.is_empty() && !after_comment(lines, i) && self.begins_table(&lines[i..]));
            if apart && !self.out.is_empty() {
                self.out.push('\n');
            }
            self.header = self.open.is_empty() && is_header(line, self.format);
            self.line(line);
            blank = false;
        }
    }

    /// Whether a table's header, or the comment right above one, is next.
    fn begins_table(&self, lines: &[Line<'_>]) -> bool {
        let header = lines.iter().find(|line| !is_comment(line));
        header.is_some_and(|line| is_header(line, self.format))
    }

    fn line(&mut self, line: &Line<'_>) {
        let tokens = &line.tokens;
        let indent = match (self.open.last(), starts_with_close(line)) {
            (None, _) => 0,
            (Some(level), true) => *level,
            (Some(level), false) => level + 1,
        };
        let width = if self.format == Format::Toml { 4 } else { 2 };
        self.out.extend(std::iter::repeat_n(' ', indent * width));
        let mut before: Option<Token<'_>> = None;
        for (i, (token, spaced)) in tokens.iter().enumerate() {
            let after = tokens.get(i + 1).map(|(token, _)| token.kind);
            if token.kind == Kind::Comma && after == Some(Kind::Close) && opened_here(&tokens[..i]) {
                continue; // `[1, 2, ]` on one line
            }
            if before.is_some_and(|before| space_between(before, *token, *spaced)) {
                self.out.push(' ');
            }
            before = Some(*token);
            match token.kind {
                Kind::Open => self.open.push(indent),
                Kind::Close => drop(self.open.pop()),
                _ => {}
            }
            self.out.push_str(token.text.trim_end_matches(['\r', ' ', '\t']));
        }
        self.out.push('\n');
    }
}

/// Whether the bracket that is open at the end of these tokens of a line was opened among them.
fn opened_here(tokens: &[(Token<'_>, bool)]) -> bool {
    let mut depth = 0;
    for (token, _) in tokens.iter().rev() {
        match token.kind {
            Kind::Open if depth == 0 => return true,
            Kind::Open => depth -= 1,
            Kind::Close => depth += 1,
            _ => {}
        }
    }
    false
}

fn space_between(before: Token<'_>, token: Token<'_>, spaced: bool) -> bool {
    match (before.kind, token.kind) {
        (_, Kind::Comment) | (Kind::Comment, _) => true,
        (Kind::Open, Kind::Close) | (_, Kind::Comma | Kind::Dot | Kind::Colon) | (Kind::Dot, _) => false,
        (_, Kind::Close) => token.text == "}",
        (_, Kind::Equals) | (Kind::Equals | Kind::Colon | Kind::Comma, _) => true,
        (Kind::Open, _) => before.text == "{",
        _ => spaced,
    }
}

fn starts_with_close(line: &Line<'_>) -> bool {
    line.tokens.first().is_some_and(|(token, _)| token.kind == Kind::Close)
}

fn is_comment(line: &Line<'_>) -> bool {
    matches!(line.tokens.as_slice(), [(Token { kind: Kind::Comment, .. }, _)])
}

/// Whether the line above is a comment, which belongs to this line.
fn after_comment(lines: &[Line<'_>], i: usize) -> bool {
    i > 0 && is_comment(&lines[i - 1])
}

/// Whether the line, outside all brackets, is `[table]` or `[[tables]]`.
fn is_header(line: &Line<'_>, format: Format) -> bool {
    format == Format::Toml && line.tokens.first().is_some_and(|(token, _)| token.text == "[")
}

#[cfg(test)]
mod tests;
