//! Tokens of JSON that may be broken. What stands between quotes is found even where a quote is missing or is of another
//! kind, so that the rest of the text keeps its meaning.

use std::ops::Range;

/// How far ahead a missing quote is looked for, in bytes.
const AHEAD: usize = 400;

/// The longest text in quotes of another kind, in bytes.
const QUOTED: usize = 4_000;

/// Lines that a string may go over when its quotes are right.
const LINES: usize = 64 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{` or `[`.
    Open(u8),
    /// `}` or `]`.
    Close(u8),
    Colon,
    Comma,
    /// `=`, `=>` or `:=`.
    Equals,
    Semicolon,
    /// In quotes; what is between them is `inner`.
    Text(Quotes),
    /// Anything else: a number, `true`, a text without quotes.
    Word,
    /// A comment of another language; its mark.
    Hash,
    /// The mark of a comment that never ends.
    Unclosed,
}

/// How a text is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    Right,
    /// `'…'`, `“…”` and the like.
    Other,
    /// The first one is missing.
    NotOpened,
    /// The last one is missing.
    NotClosed,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Of a text what is between its quotes, otherwise all of it.
    pub(super) inner: Range<usize>,
    /// Its line.
    pub(super) line: usize,
    /// The indentation of its line.
    pub(super) indent: usize,
    /// Whether it is the first on its line.
    pub(super) first: bool,
}

/// All tokens of a text, and those of comments that are none of ours.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        text,
        at: 0,
        line: 0,
        indent: 0,
        line_start: 0,
        fresh: true,
        tokens: Vec::new(),
        line_end: 0,
    };
    lexer.all();
    lexer.tokens
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    line_start: usize,
    indent: usize,
    /// Whether nothing has been on this line so far.
    fresh: bool,
    tokens: Vec<Token>,
    /// Where this line ends.
    line_end: usize,
}

impl<'t> Lexer<'t> {
    /// The rest of this line from byte `from` on. Where it ends is looked for once, for a line may be all of the file.
    fn rest(&mut self, from: usize) -> &'t str {
        if from > self.line_end || self.line_end == 0 {
            self.line_end = self.text[from..].find('\n').map_or(self.text.len(), |n| from + n);
        }
        let line = &self.text[from..self.line_end];
        line.strip_suffix('\r').unwrap_or(line)
    }

    fn all(&mut self) {
        while let Some(c) = self.text[self.at..].chars().next() {
            let rest = &self.text[self.at..];
            let start = self.at;
            match c {
                '\n' => {
                    self.at += 1;
                    self.new_line();
                }
                _ if c.is_whitespace() || c == '\u{feff}' => self.at += c.len_utf8(),
                '/' if rest.starts_with("//") => self.at += self.rest(start).len(),
                '/' if rest.starts_with("/*") => {
                    let length = rest[2..].find("*/").map_or(rest.len(), |n| n + 4);
                    if length < 4 || !rest[2..length].ends_with("*/") {
                        self.mark(Kind::Unclosed, 2);
                    }
                    self.skip(start + length - self.at);
                }
                '#' => {
                    let length = self.rest(start).len();
                    self.push(Kind::Hash, start, start + 1, start..start + 1);
                    self.at = start + length;
                }
                '{' | '[' => self.mark(Kind::Open(c as u8), 1),
                '}' | ']' => self.mark(Kind::Close(c as u8), 1),
                ',' => self.mark(Kind::Comma, 1),
                ';' => self.mark(Kind::Semicolon, 1),
                ':' if rest.starts_with(":=") => self.mark(Kind::Equals, 2),
                ':' => self.mark(Kind::Colon, 1),
                '=' => self.mark(Kind::Equals, if rest.starts_with("=>") { 2 } else { 1 }),
                '"' => self.string(),
                _ => self.other(c),
            }
        }
    }

    fn new_line(&mut self) {
        self.line += 1;
        self.line_start = self.at;
        self.fresh = true;
    }

    /// Goes over so many bytes, which may hold line breaks.
    fn skip(&mut self, length: usize) {
        let end = self.at + length;
        while let Some(n) = self.text[self.at..end].find('\n') {
            self.at += n + 1;
            self.new_line();
        }
        self.at = end;
    }

    fn mark(&mut self, kind: Kind, length: usize) {
        self.push(kind, self.at, self.at + length, self.at..self.at + length);
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize, inner: Range<usize>) {
        if self.fresh {
            self.indent = start - self.line_start;
        }
        let first = std::mem::replace(&mut self.fresh, false);
        self.tokens.push(Token { kind, start, end, inner, line: self.line, indent: self.indent, first });
        self.skip(end - self.at);
        // what follows a text of several lines is not the first on its line
        self.fresh = false;
    }

    fn text(&mut self, quotes: Quotes, end: usize, inner: Range<usize>) {
        self.push(Kind::Text(quotes), self.at, end, inner);
    }

    /// A text that begins with `"`.
    fn string(&mut self) {
        let start = self.at + 1;
        let line = self.rest(start);
        let closed = closing(line, '"');
        if let Some(length) = closed {
            let (inner, rest) = (&line[..length], &line[length + 1..]);
            if let Some(length) = cut_short(inner, rest) {
                return self.text(Quotes::NotClosed, start + length, start..start + length);
            }
            return self.text(Quotes::Right, start + length + 1, start..start + length);
        }
        let below = self.text[start + line.len()..].trim_start();
        let entry = below.is_empty() || below.starts_with(['"', '}', ']', '\'', '/', '{', '[']);
        let window = &self.text[start..self.text.floor_char_boundary(start.saturating_add(LINES))];
        if let Some(length) = closing(window, '"').filter(|_| !entry)
            && ends_value(&window[length + 1..])
        {
            return self.text(Quotes::Right, start + length + 1, start..start + length);
        }
        let length = content(line);
        self.text(Quotes::NotClosed, start + length, start..start + length);
    }

    fn other(&mut self, c: char) {
        let start = self.at;
        let line = self.rest(start);
        let near = &line[..line.floor_char_boundary(QUOTED)];
        for (open, close) in [("'", "'"), ("“”„‟", "“”‟"), ("‘’‚‛", "‘’‛"), ("`", "`")]
        {
            if !open.contains(c) {
                continue;
            }
            let from = c.len_utf8();
            let Some((length, last)) = near[from..].char_indices().find(|(_, c)| close.contains(*c)) else {
                break;
            };
            let end = start + from + length + last.len_utf8();
            return self.text(Quotes::Other, end, start + from..start + from + length);
        }
        let ahead = &line[..line.floor_char_boundary(AHEAD)];
        if let Some(quote) = ahead.find('"')
            && !ahead[..quote].contains(['{', '}', '[', ']', ',', ':', '='])
            && ends_value(&line[quote + 1..])
        {
            return self.text(Quotes::NotOpened, start + quote + 1, start..start + quote);
        }
        let length = word(line).max(c.len_utf8());
        self.push(Kind::Word, start, start + length, start..start + length);
    }
}

/// Where the quote that closes a text is.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(i, c)| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(i)
    })
}

/// Whether a value or a key may end before `rest`.
fn ends_value(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t']);
    rest.is_empty() || rest.starts_with([',', ':', '}', ']', '/', '\n', '\r'])
}

/// Of a text that ends where the next one should begin, how much belongs to it: `"a, "b": 1` and `"a: "b"`.
fn cut_short(inner: &str, rest: &str) -> Option<usize> {
    let trimmed = inner.trim_end();
    let ahead = &rest[..rest.floor_char_boundary(AHEAD)];
    let name = ahead.find(|c: char| !(c.is_alphanumeric() || "_-.$".contains(c))).unwrap_or(ahead.len());
    if name == 0 {
        return None;
    }
    if trimmed.ends_with(',') {
        let key = ahead[name..].strip_prefix('"').is_some_and(|after| after.trim_start().starts_with(':'));
        return key.then(|| content(inner));
    }
    let key = trimmed.strip_suffix(':').filter(|key| !key.is_empty() && !key.contains([' ', ':', '/']))?;
    ahead[name..].contains('"').then_some(key.len())
}

/// How much of a text without its last quote belongs to it: not the comma and the brackets at the end of its line.
fn content(line: &str) -> usize {
    let mut text = line.trim_end();
    let more =
        |open: char, close: char| text.matches(close).count().saturating_sub(text.matches(open).count());
    let (mut curly, mut square) = (more('{', '}'), more('[', ']'));
    loop {
        text = match text.chars().next_back() {
            Some('}') if curly > 0 => {
                curly -= 1;
                &text[..text.len() - 1]
            }
            Some(']') if square > 0 => {
                square -= 1;
                &text[..text.len() - 1]
            }
            Some(',') => &text[..text.len() - 1],
            _ => return text.len(),
        }
        .trim_end();
    }
}

/// The length of a word.
fn word(line: &str) -> usize {
    let mut at = 0;
    while let Some(c) = line[at..].chars().next() {
        let rest = &line[at..];
        if rest.starts_with("${") {
            at += rest.find('}').map_or(rest.len(), |n| n + 1);
        } else if at > 0 && rest.starts_with("://") {
            at += 3;
        } else if c.is_whitespace()
            || "{}[],:;=\"".contains(c)
            || rest.starts_with("//")
            || rest.starts_with("/*")
        {
            return at;
        } else {
            at += c.len_utf8();
        }
    }
    at
}
