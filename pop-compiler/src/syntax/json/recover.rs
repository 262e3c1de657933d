//! JSON that may be broken: each fault is told at its place, with the edit that mends it, and reading goes on as if it
//! were mended. Only texts about which there is something to say come here.

mod words;

use super::foreign;
use super::tokens::{Kind, Token, tokens};
use crate::budget;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span, Spanned};
use crate::syntax::rules;
use crate::tree::{Entry, KeyIndex, MAX_DEPTH, Node, Table, Tree};

/// Faults of one file that are kept.
const MAX_FINDINGS: usize = 100;

/// The tree of any text, and what is wrong with it.
pub(super) fn read(file: FileId, text: &str, out: &mut Vec<Diagnostic>) -> Tree {
    let tokens = tokens(text);
    let mut reader = Reader {
        file,
        text,
        tokens,
        at: 0,
        open: Vec::new(),
        curly: 0,
        square: 0,
        ended: false,
        comma_told: false,
        faults: 0,
        out: Vec::new(),
    };
    reader.comments();
    let tree = reader.document();
    let syntax = |finding: &&Diagnostic| finding.rule == rules::syntax::RULE.id;
    if reader.out.iter().filter(syntax).any(|finding| finding.fix.is_empty()) {
        // what has no obvious change may be the true fault, of which the others are consequences
        reader.out.iter_mut().for_each(|finding| finding.fix.clear());
    }
    reader.out.sort_by(|a, b| a.primary.at.cmp(&b.primary.at));
    out.append(&mut reader.out);
    tree
}

/// A bracket that is open.
#[derive(Clone, Copy)]
struct Open {
    bracket: u8,
    line: usize,
    indent: usize,
    /// Whether nothing follows it on its line.
    last: bool,
}

struct Reader<'t> {
    file: FileId,
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    open: Vec<Open>,
    /// How many more of the brackets that are still to come are opened than closed.
    curly: isize,
    square: isize,
    /// Whether the end was told already, so that nothing is missing at it any more.
    ended: bool,
    /// Whether the comma that comes next was told to be missing.
    comma_told: bool,
    /// Faults of the syntax so far.
    faults: usize,
    out: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn kind(&self, ahead: usize) -> Option<Kind> {
        self.tokens.get(self.at + ahead).map(|token| token.kind)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end)
    }

    fn place(&self, token: &Token) -> Span {
        self.span(token.start, token.end)
    }

    /// Where the token before ends; one comma more does not count.
    fn before(&self) -> usize {
        let before = self.tokens[..self.at].iter().rev().find(|token| token.kind != Kind::Comma);
        before.map_or(0, |token| token.end)
    }

    fn add(&mut self, finding: Diagnostic) {
        if self.faults < MAX_FINDINGS && !self.ended {
            self.faults += 1;
            self.out.push(finding);
        }
    }

    /// A fault that does not keep anything from being read.
    fn fault(&mut self, span: Span, message: &str, label: &str, edit: &str) {
        self.add(rules::syntax::report(span, message, label).edit(span, edit).read_on());
    }

    /// Something is missing at byte `at`.
    fn missing(&mut self, at: usize, what: &str, label: &str) {
        let span = self.span(at, at);
        let message = match what {
            "," => "missing comma".to_owned(),
            ":" => "missing colon".to_owned(),
            other => format!("missing `{other}`"),
        };
        // `"a:" 1`, `"a," "b"`: it is there, and the quote at the wrong place
        let swallowed = self.text[..at].strip_suffix('"').is_some_and(|text| text.ends_with(what));
        if swallowed && matches!(what, "," | ":") {
            self.add(rules::syntax::report(span, &message, label).read_on());
        } else {
            self.fault(span, &message, label, what);
        }
    }

    /// Takes out comments of other languages and one that is not closed, with a finding for each.
    fn comments(&mut self) {
        let (marks, tokens): (Vec<Token>, Vec<Token>) = std::mem::take(&mut self.tokens)
            .into_iter()
            .partition(|token| matches!(token.kind, Kind::Hash | Kind::Unclosed));
        self.tokens = tokens;
        for mark in marks {
            if mark.kind == Kind::Unclosed {
                self.add(rules::syntax::report(self.place(&mark), "unclosed comment", "missing `*/`"));
                continue;
            }
            self.fault(self.place(&mark), "invalid comment: write `//`", "not a comment in JSON", "//");
        }
        for token in &self.tokens {
            match token.kind {
                Kind::Open(b'{') => self.curly += 1,
                Kind::Close(b'}') => self.curly -= 1,
                Kind::Open(_) => self.square += 1,
                Kind::Close(_) => self.square -= 1,
                _ => {}
            }
        }
    }

    fn document(&mut self) -> Tree {
        let all = Tree { node: Node::Error, span: self.span(0, self.text.len()) };
        let Some(first) = self.tokens.first().cloned() else {
            if self.out.is_empty() {
                let span = self.span(0, 0);
                self.add(rules::syntax::report(span, "the file is empty", "expected a JSON object"));
            }
            return all;
        };
        if let Some(message) = foreign::in_json(self.text, &self.tokens) {
            self.out.clear();
            self.faults = 0;
            self.add(rules::syntax::report(self.place(&first), message, "here"));
            return all;
        }
        let tree = if matches!(first.kind, Kind::Text(_)) && self.kind(1) == Some(Kind::Colon) {
            self.missing(first.start, "{", "before the first key");
            self.curly += 1;
            let open = Open { bracket: b'{', line: first.line, indent: 0, last: true };
            Some(self.table(open, first.start))
        } else {
            self.value(0)
        };
        let Some(tree) = tree else {
            self.add(rules::syntax::report(self.place(&first), "expected a JSON object", "expected `{`"));
            return all;
        };
        if let Some(more) = self.tokens.get(self.at).cloned() {
            let span = self.place(&more);
            if let Kind::Close(bracket) = more.kind {
                self.extra(span, bracket);
            } else {
                let message = "unexpected text after the end of the document";
                self.add(rules::syntax::report(span, message, "not part of the document"));
            }
        }
        tree
    }

    fn extra(&mut self, span: Span, bracket: u8) {
        self.fault(span, &format!("unmatched `{}`", char::from(bracket)), "one too many", "");
    }

    /// The value that begins here, if one does. Recursion is bounded by [`MAX_DEPTH`].
    fn value(&mut self, depth: usize) -> Option<Tree> {
        let token = self.tokens.get(self.at)?.clone();
        let span = self.place(&token);
        match token.kind {
            Kind::Open(bracket) => {
                if depth >= MAX_DEPTH {
                    self.add(rules::syntax::too_deep(span));
                    self.at = self.tokens.len();
                    self.ended = true;
                    return Some(Tree { node: Node::Error, span });
                }
                self.at += 1;
                let last = self.tokens.get(self.at).is_none_or(|next| next.line > token.line);
                let open = Open { bracket, line: token.line, indent: token.indent, last };
                Some(if bracket == b'{' {
                    self.table(open, token.start)
                } else {
                    self.list(open, token.start)
                })
            }
            Kind::Text(quotes) => {
                self.at += 1;
                let text = self.string(&token, quotes);
                Some(Tree { node: Node::String(text), span })
            }
            Kind::Word => Some(self.word()),
            _ => None,
        }
    }

    /// Whether what comes now can't be inside `open`, since its line is not indented as that would be. Only asked when
    /// brackets are missing.
    fn is_outside(&self, open: Open) -> bool {
        let Some(token) = self.tokens.get(self.at) else { return false };
        let closes = matches!(token.kind, Kind::Close(_));
        let missing = if open.bracket == b'{' { self.curly > 0 } else { self.square > 0 };
        missing
            && token.first
            && token.line > open.line
            && (token.indent < open.indent || token.indent == open.indent && !closes)
    }

    /// Whether the bracket that comes now closes nothing, as its place on the line shows. Only asked when there are more
    /// than are open.
    fn is_extra(&self, open: Open) -> bool {
        let Some(token) = self.tokens.get(self.at) else { return false };
        let many = if open.bracket == b'{' { self.curly < 0 } else { self.square < 0 };
        many && token.line > open.line && open.last && (!token.first || token.indent > open.indent)
    }

    fn counted(&mut self, bracket: u8, by: isize) {
        if matches!(bracket, b'{' | b'}') { self.curly += by } else { self.square += by }
    }

    /// Whether a table or list ends here; what is wrong with its end is told.
    fn ends(&mut self, open: Open) -> bool {
        let close = if open.bracket == b'{' { b'}' } else { b']' };
        let written = char::from(close).to_string();
        while self.kind(0) == Some(Kind::Close(close)) && self.is_extra(open) {
            self.extra(self.place(&self.tokens[self.at]), close);
            self.counted(close, 1);
            self.at += 1;
            if self.kind(0) == Some(Kind::Comma) {
                self.at += 1;
            }
        }
        if self.is_outside(open) {
            self.back();
            let next = matches!(self.kind(0), Some(Kind::Text(_) | Kind::Word | Kind::Open(_)));
            let both = if next { format!("{written},") } else { written };
            self.missing(self.before(), &both, "before this line, by the indentation");
            self.comma_told = next;
            self.counted(open.bracket, -1);
            return true;
        }
        let Some(token) = self.tokens.get(self.at).cloned() else {
            self.unclosed();
            return true;
        };
        let Kind::Close(bracket) = token.kind else { return false };
        if bracket == close {
            self.at += 1;
            return true;
        }
        let other = if open.bracket == b'{' { b'[' } else { b'{' };
        let surplus = if other == b'{' { self.curly < 0 } else { self.square < 0 };
        if surplus || !self.open.iter().any(|o| o.bracket == other) {
            let span = self.place(&token);
            self.fault(span, &format!("wrong bracket: expected `{written}`"), "wrong bracket", &written);
            self.counted(other, 1);
            self.at += 1;
        } else {
            self.missing(self.before(), &written, "before this bracket");
        }
        self.counted(open.bracket, -1);
        true
    }

    /// The text ends before what is open.
    fn unclosed(&mut self) {
        let end = self.before();
        let all: String = self.open.iter().rev().map(|o| if o.bracket == b'{' { '}' } else { ']' }).collect();
        let span = self.span(end, end);
        let finding = rules::syntax::report(span, &format!("missing `{all}` at the end"), "still open");
        let line = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        let finding = finding.edit(span, format!("{line}{all}"));
        // a text that ends in the middle of something may lack more than brackets
        let whole = all.len() == 1 || matches!(self.tokens.last(), Some(Token { kind: Kind::Close(_), .. }));
        self.add(if whole { finding.read_on() } else { finding });
        self.ended = true;
    }

    /// Gives a comma back to what it stands in.
    fn back(&mut self) {
        if self.at > 0 && self.tokens[self.at - 1].kind == Kind::Comma {
            self.at -= 1;
        }
    }

    /// What stands between two items: told, unless it is one comma.
    fn between(&mut self) {
        if std::mem::take(&mut self.comma_told) {
            return;
        }
        match self.kind(0) {
            Some(Kind::Comma) => self.at += 1,
            Some(Kind::Semicolon) => {
                self.fault(self.place(&self.tokens[self.at]), "missing comma", "write `,`", ",");
                self.at += 1;
            }
            Some(Kind::Text(_) | Kind::Word | Kind::Open(_)) => {
                self.missing(self.before(), ",", "between two items");
            }
            _ => {}
        }
    }

    /// Goes over what can't stand here; true when there was something.
    fn misplaced(&mut self) -> bool {
        let Some(token) = self.tokens.get(self.at).cloned() else { return false };
        let span = self.place(&token);
        match token.kind {
            Kind::Comma | Kind::Semicolon => {
                self.fault(span, "unexpected comma", "one too many", "");
                while matches!(self.kind(0), Some(Kind::Comma | Kind::Semicolon)) {
                    self.at += 1;
                }
            }
            Kind::Colon | Kind::Equals => {
                self.add(rules::syntax::report(span, "missing key", "unexpected"));
                self.at += 1;
            }
            _ => return false,
        }
        true
    }

    fn closed(&mut self, node: Node, start: usize) -> Tree {
        self.open.pop();
        let end = self.tokens[..self.at].last().map_or(start, |token| token.end);
        Tree { node, span: self.span(start, end) }
    }

    fn list(&mut self, open: Open, start: usize) -> Tree {
        self.open.push(open);
        let mut items = Vec::new();
        while !self.ends(open) {
            if self.misplaced() {
                continue;
            }
            let keyed = matches!(self.kind(0), Some(Kind::Text(_) | Kind::Word))
                && matches!(self.kind(1), Some(Kind::Colon | Kind::Equals));
            if keyed {
                if self.square > 0 && self.open.iter().any(|o| o.bracket == b'{') {
                    self.missing(self.before(), "]", "before the next key");
                    self.square -= 1;
                    self.back();
                    break;
                }
                let span = self.place(&self.tokens[self.at]);
                self.add(rules::syntax::report(span, "unexpected key in a list", "write a table, `{ … }`"));
                self.at += 2;
                continue;
            }
            if self.is_outside_list_end() {
                continue;
            }
            items.extend(self.value(self.open.len()));
            if !self.is_outside(open) {
                self.between();
            }
        }
        self.closed(Node::List(items), start)
    }

    /// What no value begins with, and nothing else has told.
    fn is_outside_list_end(&mut self) -> bool {
        let value = matches!(self.kind(0), None | Some(Kind::Text(_) | Kind::Word | Kind::Open(_)));
        if !value {
            self.at += 1;
        }
        !value
    }

    fn table(&mut self, open: Open, start: usize) -> Tree {
        self.open.push(open);
        let mut table = Table { entries: Vec::new(), index: KeyIndex::default() };
        while !self.ends(open) {
            if self.misplaced() {
                continue;
            }
            let token = self.tokens[self.at].clone();
            if let Kind::Open(bracket) = token.kind {
                let in_list = self.open.iter().rev().nth(1).is_some_and(|o| o.bracket == b'[');
                if bracket == b'{' && in_list && self.curly > 0 {
                    self.missing(self.before(), "}", "before the next table");
                    self.curly -= 1;
                    self.back();
                    break;
                }
                self.add(rules::syntax::report(self.place(&token), "missing key", "a value without a key"));
                self.value(self.open.len());
            } else {
                self.entry(&token, &mut table);
            }
            if !self.is_outside(open) {
                self.surplus();
                self.between();
            }
        }
        self.closed(Node::Table(table), start)
    }

    /// The value of a key, whose first bracket is missing.
    fn headless(&mut self, key: &Token) -> Option<Tree> {
        let next = self.tokens.get(self.at)?;
        let below = next.line > key.line;
        let keyed = self.kind(1) == Some(Kind::Colon);
        let bracket = match next.kind {
            Kind::Text(_) if keyed && self.curly < 0 => b'{',
            Kind::Text(_) | Kind::Word if below && !keyed && self.square < 0 => b'[',
            _ => return None,
        };
        let start = next.start;
        self.missing(self.before(), if bracket == b'{' { "{" } else { "[" }, "before the value");
        self.counted(bracket, 1);
        let open = Open { bracket, line: key.line, indent: key.indent, last: true };
        Some(if bracket == b'{' { self.table(open, start) } else { self.list(open, start) })
    }

    fn entry(&mut self, token: &Token, table: &mut Table) {
        self.at += 1;
        let span = self.place(token);
        let key = match token.kind {
            Kind::Text(quotes) => self.string(token, quotes).value,
            _ => self.text[token.start..token.end].to_owned(),
        };
        if token.kind == Kind::Word && self.kind(0) != Some(Kind::Comma) {
            self.fault(span, "missing double quotes around a key", "without quotes", &format!("\"{key}\""));
        }
        let starts_value = |kind| matches!(kind, Some(Kind::Text(_) | Kind::Word | Kind::Open(_)));
        // a text with a colon behind it is the next key
        let next_key = |reader: &Self| {
            matches!(reader.kind(0), Some(Kind::Text(_) | Kind::Word)) && reader.kind(1) == Some(Kind::Colon)
        };
        match self.kind(0) {
            Some(Kind::Colon) => self.at += 1,
            Some(Kind::Equals) => {
                self.fault(self.place(&self.tokens[self.at]), "missing colon", "write `:`", ":");
                self.at += 1;
            }
            kind if starts_value(kind) && !next_key(self) => {
                self.missing(self.before(), ":", "between a key and its value");
            }
            _ => {}
        }
        let colon = self.tokens[self.at - 1].kind == Kind::Colon;
        let headless = if colon && self.open.len() < MAX_DEPTH { self.headless(token) } else { None };
        let value = if headless.is_some() {
            headless
        } else if starts_value(self.kind(0)) && !next_key(self) {
            self.value(self.open.len())
        } else {
            None
        };
        let value = value.unwrap_or_else(|| {
            if self.at >= self.tokens.len() {
                return Tree { node: Node::Error, span }; // the end is told
            }
            let (message, label) = match token.kind {
                Kind::Word if !key.contains(char::is_alphanumeric) => ("missing key", "unexpected"),
                _ => ("missing value of a key", "expected `:` and a value"),
            };
            self.add(rules::syntax::report(span, message, label).read_on());
            Tree { node: Node::Error, span }
        });
        let key = Spanned::new(key, span);
        match table.index.find(&key.value, table.entries.len(), |i| &table.entries[i].key.value) {
            Some(first) => {
                let first = table.entries[first].key.span;
                self.out.push(rules::duplicate_name::key(&key, first));
                budget::enforce(&mut self.out);
            }
            None => table.entries.push(Entry { key, value }),
        }
    }
}
