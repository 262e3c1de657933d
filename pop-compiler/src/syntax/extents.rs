//! Comments that stand alone on their lines, and what each of them stands above.

use jsonc_parser::tokens::Token;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};
use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use super::Format;
use std::ops::Range;

/// A comment above something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    /// The comment, its marks included.
    pub(crate) range: Range<usize>,
    /// The text of the table or the entry that it stands directly above; in TOML a table may be in several pieces. None
    /// when nothing follows.
    pub(crate) above: Vec<Range<usize>>,
}

/// Comments of one file that are looked at; each costs time in proportion to the file.
const MAX_COMMENTS: usize = 1_000;

/// The comments of a text that stand alone on their lines and hold `word`.
pub(crate) fn comments(text: &str, format: Format, word: &str) -> Vec<Comment> {
    match format {
        Format::Toml => toml(text, word),
        Format::Json => json(text, word),
    }
}

/// A line of TOML as the language sees it: a header, or a key with its value however many lines it takes.
struct Line {
    range: Range<usize>,
    /// The path of a header, without spaces, with a dot at the end.
    header: Option<String>,
}

fn toml(text: &str, word: &str) -> Vec<Comment> {
    let mut lines: Vec<Line> = Vec::new();
    let mut comments: Vec<(Range<usize>, usize)> = Vec::new();
    // comments directly above: a blank line ends them
    let mut waiting: Vec<Range<usize>> = Vec::new();
    let mut open: Option<Range<usize>> = None;
    let (mut depth, mut blank) = (0usize, true);
    for token in Source::new(text).lex() {
        let range = token.span().start()..token.span().end();
        let header = open.as_ref().is_some_and(|line| text[line.clone()].starts_with('['));
        match token.kind() {
            TokenKind::Whitespace => continue,
            TokenKind::Comment => {
                if open.is_none() && blank {
                    waiting.push(range);
                }
                blank = false;
                continue;
            }
            TokenKind::Newline | TokenKind::Eof => {
                if depth > 0 && !header {
                    continue;
                }
                depth = 0;
                if let Some(range) = open.take() {
                    comments.extend(waiting.drain(..).map(|comment| (comment, lines.len())));
                    lines.push(Line { header: path(&text[range.clone()]), range });
                } else if blank {
                    comments.extend(waiting.drain(..).map(|comment| (comment, usize::MAX)));
                }
                blank = true;
                continue;
            }
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => depth = depth.saturating_sub(1),
            _ => {}
        }
        blank = false;
        open = Some(open.map_or(range.start, |line| line.start)..range.end);
    }
    comments.extend(waiting.drain(..).map(|comment| (comment, usize::MAX)));
    let headers: Vec<&Line> = lines.iter().filter(|line| line.header.is_some()).collect();
    comments
        .into_iter()
        .filter(|(range, _)| text[range.clone()].contains(word))
        .take(MAX_COMMENTS)
        .map(|(range, line)| Comment { range, above: extent(&lines, &headers, line, text.len()) })
        .collect()
}

/// The path of a header such as `[a."b.c"]`.
fn path(line: &str) -> Option<String> {
    let inner = line.strip_prefix('[')?.trim_start_matches('[').trim_end_matches(']');
    let mut path: String = inner.chars().filter(|c| !c.is_whitespace()).collect();
    path.push('.');
    Some(path)
}

fn extent(lines: &[Line], headers: &[&Line], at: usize, len: usize) -> Vec<Range<usize>> {
    let Some(line) = lines.get(at) else { return Vec::new() };
    let Some(own) = &line.header else { return vec![line.range.clone()] };
    let mut found = Vec::new();
    for (i, header) in headers.iter().enumerate() {
        let below = header.header.as_ref().is_some_and(|path| path.starts_with(own.as_str()));
        // of two tables of a list with the same path, only the one below the comment
        let other = header.header.as_ref() == Some(own) && header.range != line.range;
        if below && !other {
            let end = headers.get(i + 1).map_or(len, |next| next.range.start);
            found.push(header.range.start..end);
        }
    }
    found
}

fn json(text: &str, word: &str) -> Vec<Comment> {
    let collect = CollectOptions { comments: CommentCollectionStrategy::AsTokens, tokens: true };
    // a byte order mark means nothing, but the parser does not take it
    let spaced = text.strip_prefix('\u{feff}').map(|rest| format!("   {rest}"));
    let text = spaced.as_deref().unwrap_or(text);
    let Ok(parsed) = parse_to_ast(text, &collect, &ParseOptions::default()) else { return Vec::new() };
    let tokens = parsed.tokens.unwrap_or_default();
    let mut found = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let range = token.range.start..token.range.end;
        let is_comment = matches!(token.token, Token::CommentLine(_) | Token::CommentBlock(_));
        if !is_comment || found.len() == MAX_COMMENTS || !text[range.clone()].contains(word) {
            continue;
        }
        let line = text[..range.start].rfind('\n').map_or(0, |n| n + 1);
        if !text[line..range.start].trim().is_empty() {
            continue;
        }
        let next = tokens[i + 1..]
            .iter()
            .position(|t| !matches!(t.token, Token::CommentLine(_) | Token::CommentBlock(_)))
            .map(|n| i + 1 + n);
        let follows = |n: &usize| {
            let closes = matches!(tokens[*n].token, Token::CloseBrace | Token::CloseBracket);
            !closes && !text[range.end..tokens[*n].range.start].contains("\n\n")
        };
        let above = next.filter(follows).map(|n| {
            // to the comma that ends the entry, or the bracket that ends what it is in
            let mut depth = 0usize;
            let mut end = tokens[n].range.end;
            for token in &tokens[n..] {
                match token.token {
                    Token::OpenBrace | Token::OpenBracket => depth += 1,
                    Token::CloseBrace | Token::CloseBracket | Token::Comma if depth == 0 => break,
                    Token::CloseBrace | Token::CloseBracket => depth -= 1,
                    Token::CommentLine(_) | Token::CommentBlock(_) => continue,
                    _ => {}
                }
                end = token.range.end;
            }
            tokens[n].range.start..end
        });
        found.push(Comment { range, above: above.into_iter().collect() });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, format: Format) -> Vec<(&str, Vec<&str>)> {
        let comments = comments(text, format, "");
        comments
            .into_iter()
            .map(|c| (&text[c.range], c.above.into_iter().map(|r| text[r].trim_end()).collect()))
            .collect()
    }

    #[test]
    fn toml_comments_know_what_they_are_above() {
        let text = "# one\n[a]\nx = [\n  1, # no\n]\n# two\n# three\ny = \"# no\" # no\n[b]\n# lost\n\nz = 1\n[a.c]\nq = 1\n# end";
        assert_eq!(
            shown(text, Format::Toml),
            [
                (
                    "# one",
                    vec![
                        "[a]\nx = [\n  1, # no\n]\n# two\n# three\ny = \"# no\" # no",
                        "[a.c]\nq = 1\n# end"
                    ]
                ),
                ("# two", vec!["y = \"# no\""]),
                ("# three", vec!["y = \"# no\""]),
                ("# lost", vec![]),
                ("# end", vec![]),
            ]
        );
    }

    #[test]
    fn json_comments_know_what_they_are_above() {
        let text =
            "// top\n{\n  // one\n  \"a\": { \"b\": [1, 2] }, // no\n  /* two */\n  \"c\": 1\n  // end\n}";
        assert_eq!(
            shown(text, Format::Json),
            [
                ("// top", vec![&text[7..]]),
                ("// one", vec!["\"a\": { \"b\": [1, 2] }"]),
                ("/* two */", vec!["\"c\": 1"]),
                ("// end", vec![]),
            ]
        );
    }
}
