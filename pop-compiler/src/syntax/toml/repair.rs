//! TOML that can't be read, where one small change is the obvious one: the text has fewer syntax errors with it.

use std::ops::Range;

use serde_json::Value as Json;

use crate::source::Format;
use crate::suggest;
use crate::syntax::{Kind, Token, lex};

/// A change of the text: what to replace with what.
type Change = Vec<(Range<usize>, String)>;

/// Larger files are not tried.
const MAX_TEXT: usize = 256 << 10;

/// Nobody reads longer lines, and much could be changed in them.
const MAX_LINE: usize = 2_000;

/// Changes that are tried for one error; each reads the file once.
const MAX_CHANGES: usize = 10;

/// Reads changed texts.
pub(super) trait Reads {
    /// How many errors a text has.
    fn errors(&self, text: &str) -> usize;
    /// What a text says.
    fn says(&self, text: &str) -> Json;
}

/// A change for one error.
pub(super) struct Repair {
    pub(super) change: Change,
    /// Whether it is the only one that helps most, or all that do make the text say the same.
    pub(super) certain: bool,
}

/// Looks for the changes of one text, error by error. Each is tried together with those before it, so that all of them
/// leave fewer errors than there were: changes that only help alone would undo each other for ever.
pub(super) struct Repairer<'t> {
    text: &'t str,
    reader: &'t dyn Reads,
    /// All changes so far, by place.
    made: Change,
    /// How many errors are left with them; none before it was asked.
    left: Option<usize>,
    /// How many more texts may be read.
    tries: usize,
}

impl<'t> Repairer<'t> {
    /// Reads at most so many texts.
    pub(super) fn new(text: &'t str, reader: &'t dyn Reads, tries: usize) -> Self {
        Self { text, reader, made: Change::new(), left: None, tries }
    }

    /// The change for the error at byte `at` that leaves the fewest errors, the first of equals.
    pub(super) fn change(&mut self, at: usize) -> Option<Repair> {
        let text = self.text;
        if text.len() > MAX_TEXT || !text.is_char_boundary(at) {
            return None;
        }
        let from = text[..at].trim_end().rfind('\n').map_or(0, |n| n + 1);
        let to = text[at..].find('\n').map_or(text.len(), |n| at + n);
        if to - from > MAX_LINE {
            return None;
        }
        let mut left = *self.left.get_or_insert_with(|| self.reader.errors(text));
        let mut best: Option<(Json, Change, Repair)> = None;
        for change in candidates(text, at).into_iter().take(MAX_CHANGES) {
            let Some(all) = together(&self.made, &change) else { continue };
            let Some(tries) = self.tries.checked_sub(1) else { break };
            self.tries = tries;
            let new = changed(text, &all);
            let errors = self.reader.errors(&new);
            match &mut best {
                Some((says, _, repair)) if errors == left => {
                    repair.certain &= *says == self.reader.says(&new);
                }
                _ if errors < left => {
                    left = errors;
                    best = Some((self.reader.says(&new), all, Repair { change, certain: true }));
                }
                _ => {}
            }
        }
        let (_, all, repair) = best?;
        self.made = all;
        self.left = Some(left);
        Some(repair)
    }
}

/// Both, by place; none when they touch each other.
fn together(made: &Change, new: &Change) -> Option<Change> {
    let mut all: Change = made.iter().chain(new).cloned().collect();
    all.sort_by_key(|(range, _)| (range.start, range.end));
    let apart = all.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start && pair[0].0 != pair[1].0);
    apart.then_some(all)
}

fn changed(text: &str, change: &Change) -> String {
    let mut text = text.to_owned();
    for (range, new) in change.iter().rev() {
        text.replace_range(range.clone(), new);
    }
    text
}

/// A token of a line and where it begins in the file.
#[derive(Clone, Copy)]
struct Piece<'t> {
    kind: Kind,
    text: &'t str,
    start: usize,
}

impl Piece<'_> {
    fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// What is on the line around `at`, spaces and comments aside.
fn pieces(text: &str, at: usize) -> Vec<Piece<'_>> {
    let from = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let to = text[at..].find('\n').map_or(text.len(), |n| at + n);
    let mut start = from;
    let mut found = Vec::new();
    for Token { kind, text } in lex(&text[from..to], Format::Toml) {
        if !matches!(kind, Kind::Space | Kind::Newline | Kind::Comment) {
            found.push(Piece { kind, text, start });
        }
        start += text.len();
    }
    found
}

fn candidates(text: &str, at: usize) -> Vec<Change> {
    let line = pieces(text, at);
    let mut found: Vec<Change> = Vec::new();
    found.extend(assignment(&line));
    found.extend(end_of_line(text, at, &line));
    found.extend(open_bracket(text, at));
    found.extend(comma(text, at));
    found.extend(word(text, at));
    found.extend(absent(text, at, &line));
    found.extend(escapes(&line));
    found.extend(quotes(&line));
    found
}

/// `key: value`, `key value`, `key == value`, `key := value`.
fn assignment(line: &[Piece<'_>]) -> Vec<Change> {
    let mut found = Vec::new();
    let mut colons: Change = Vec::new();
    let mut key = true; // whether a key may stand here
    for (i, piece) in line.iter().enumerate() {
        if key && piece.kind == Kind::Word {
            let colon = if piece.text.ends_with(':') && !piece.text.starts_with(['"', '\'']) {
                Some(piece.end() - 1)
            } else {
                line.get(i + 1).filter(|next| next.text == ":").map(|next| next.start)
            };
            colons.extend(colon.map(|at| (at..at + 1, " =".to_owned())));
        }
        key = matches!(piece.kind, Kind::Comma) || piece.kind == Kind::Open && piece.text == "{";
    }
    if !colons.is_empty() {
        if let Some(last) = line.last().filter(|last| last.kind == Kind::Comma) {
            let mut both = colons.clone();
            both.push((last.start..last.end(), String::new()));
            found.push(both);
        }
        found.push(colons);
    }
    match line {
        [first, second, ..]
            if first.kind == Kind::Word && second.kind == Kind::Word && first.end() < second.start =>
        {
            found.push(vec![(second.start..second.start, "= ".to_owned())]);
        }
        [first, second, ..] if first.kind == Kind::Word && second.kind == Kind::Open => {
            found.push(vec![(second.start..second.start, "= ".to_owned())]);
        }
        _ => {}
    }
    for (i, pair) in line.windows(2).enumerate() {
        if pair[0].kind == Kind::Equals && (pair[1].kind == Kind::Equals || pair[1].text == ">") {
            // however many there are
            let more = line[i + 2..].iter().take_while(|piece| piece.kind == Kind::Equals);
            let end = more.last().map_or(pair[1].end(), Piece::end);
            found.push(vec![(pair[0].end()..end, String::new())]);
        }
        if pair[0].text == ":" && pair[1].kind == Kind::Equals {
            found.push(vec![(pair[0].start..pair[0].end(), String::new())]);
        }
    }
    found
}

/// A comma or semicolon too many, a header that is not closed or closed twice, a comment of another language.
fn end_of_line(text: &str, at: usize, line: &[Piece<'_>]) -> Vec<Change> {
    let mut found = Vec::new();
    let (Some(first), Some(last)) = (line.first(), line.last()) else { return found };
    if last.kind == Kind::Comma {
        found.push(vec![(last.start..last.end(), String::new())]);
    }
    if last.text.ends_with(';') {
        found.push(vec![(last.end() - 1..last.end(), String::new())]);
    }
    if first.kind == Kind::Open && first.text == "[" {
        let count = |kind| line.iter().filter(|piece| piece.kind == kind).count();
        let (open, close) = (count(Kind::Open), count(Kind::Close));
        if open == 2 && close == 1 && line.get(1).is_some_and(|second| second.text == "[") {
            found.push(vec![(first.start..first.end(), String::new())]);
        }
        if open > close {
            found.push(vec![(last.end()..last.end(), "]".repeat(open - close))]);
        } else if close > open && last.kind == Kind::Close {
            found.push(vec![(last.start..last.end(), String::new())]);
        }
    }
    if text[at..].starts_with(['}', ']']) {
        found.push(vec![(at..at + 1, String::new())]);
    }
    // a header without its first bracket
    if first.kind == Kind::Word
        && last.text == "]"
        && line.iter().all(|p| p.text != "[" && p.kind != Kind::Equals)
    {
        found.push(vec![(first.start..first.start, "[".to_owned())]);
    }
    if first.text.starts_with("//") && at == first.start {
        found.push(vec![(first.start..first.start + 2, "#".to_owned())]);
    }
    let slashes = text[at..].starts_with("//") && at > first.start;
    if slashes {
        found.push(vec![(at..at + 2, "#".to_owned())]);
    }
    found
}

/// `key = null`: what is null is left out here. An item of a list can't be, for the others would move.
fn absent(text: &str, at: usize, line: &[Piece<'_>]) -> Option<Change> {
    let value = line.iter().position(|piece| piece.start == at)?;
    let null = ["null", "none", "nil", "undefined"].contains(&line[value].text.to_lowercase().as_str());
    let key = value.checked_sub(2).filter(|_| null && line[value - 1].kind == Kind::Equals)?;
    let before = key.checked_sub(1).map(|i| line[i]);
    // deeper inside it is a part of a value, which others may look for
    if line[..value].iter().filter(|piece| piece.kind == Kind::Open).count() > 1 {
        return None;
    }
    let range = match (before, line.get(value + 1)) {
        // a line of its own
        (None, None) => {
            let end = text[at..].find('\n').map_or(text.len(), |n| at + n + 1);
            (!text[at..end].contains('#')).then_some(line[key].start..end)
        }
        (Some(comma), _) if comma.kind == Kind::Comma => Some(comma.start..line[value].end()),
        (Some(open), Some(next)) if open.kind == Kind::Open => {
            let next = if next.kind == Kind::Comma { line.get(value + 2)? } else { next };
            Some(line[key].start..next.start)
        }
        _ => None,
    }?;
    Some(vec![(range, String::new())])
}

/// A comma that is missing between two items, or there twice.
fn comma(text: &str, at: usize) -> Vec<Change> {
    // a plain value and the next key look like one word to the parser
    let rest = text[at..].lines().next().unwrap_or_default();
    let one = &rest[..rest.find(' ').unwrap_or(rest.len())];
    let next = rest[one.len()..].trim_start();
    let key = next.find(|c: char| !(c.is_alphanumeric() || "_-".contains(c))).unwrap_or_default();
    let plain = matches!(one, "true" | "false") || one.parse::<f64>().is_ok();
    if plain && key > 0 && next[key..].trim_start().starts_with('=') {
        return vec![vec![(at + one.len()..at + one.len(), ",".to_owned())]];
    }
    let before = text[..at].trim_end();
    // behind a comment, the comma would be part of it
    let line = &before[before.rfind('\n').map_or(0, |n| n + 1)..];
    // `"a," b = 1`: the comma is there, and the quote at the wrong place
    let swallowed = before.strip_suffix(['"', '\'']).is_some_and(|text| text.ends_with(','));
    if before.is_empty() || line.contains('#') || swallowed {
        return Vec::new();
    }
    if let Some(rest) = before.strip_suffix(',') {
        let second = text[at..].starts_with(',');
        let range = if second { at..at + 1 } else { rest.len()..before.len() };
        return vec![vec![(range, String::new())]];
    }
    // without a space between them they may well be one
    if before.len() == at { Vec::new() } else { vec![vec![(before.len()..before.len(), ",".to_owned())]] }
}

/// A word that needs quotes, or is one of ours in capitals.
fn word(text: &str, at: usize) -> Vec<Change> {
    let rest = text[at..].lines().next().unwrap_or_default();
    let before = text[..at].trim_end_matches([' ', '\t']);
    if !before.ends_with(['=', '[', ',']) {
        return Vec::new();
    }
    let content = |c: char| c.is_alphanumeric() || "_./:@+-${}*".contains(c);
    let one = &rest[..rest.find(|c: char| !content(c)).unwrap_or(rest.len())];
    let one = if one.contains("${") { one } else { one.trim_end_matches(['}', '{', '$']) };
    // outside brackets a value goes to the end of its line
    let own =
        before.ends_with('=') && !before[before.rfind('\n').map_or(0, |n| n + 1)..].contains(['{', '[']);
    let whole = rest.split(" #").next().unwrap_or_default().trim_end();
    let quote = |word: &str| vec![(at..at + word.len(), format!("\"{word}\""))];
    match one.to_lowercase().as_str() {
        "true" | "false" if whole == one || !own => {
            return vec![vec![(at..at + one.len(), one.to_lowercase())]];
        }
        // `ture` may be a text or a truth; the others have no counterpart here, see `absent`
        other if suggest::closest(other, ["true", "false"]).is_some() => return Vec::new(),
        "null" | "none" | "nil" | "undefined" => return Vec::new(),
        _ => {}
    }
    for (open, close) in [('“', '”'), ('”', '”'), ('„', '“'), ('‘', '’'), ('`', '`')] {
        if let Some(inner) = rest.strip_prefix(open)
            && let Some(end) = inner.find(close)
            && !inner[..end].contains(['"', '\\'])
        {
            let length = open.len_utf8() + end + close.len_utf8();
            return vec![vec![(at..at + length, format!("\"{}\"", &inner[..end]))]];
        }
    }
    if own && whole.chars().all(|c| content(c) || c == ' ') && !whole.is_empty() {
        return vec![quote(whole)];
    }
    if one.is_empty() || own { Vec::new() } else { vec![quote(one)] }
}

/// Backslashes that begin no escape, as those of patterns and Windows paths, when no other backslash is beside them.
fn escapes(line: &[Piece<'_>]) -> Vec<Change> {
    let mut found = Vec::new();
    for piece in line.iter().filter(|piece| piece.text.starts_with('"')) {
        let mut change: Change = Vec::new();
        let mut rest = piece.text.char_indices();
        let mut known = false;
        while let Some((i, c)) = rest.next() {
            if c != '\\' {
                continue;
            }
            match rest.next() {
                Some((_, '\\' | '"')) => {}
                Some((_, 'b' | 't' | 'n' | 'f' | 'r' | 'e' | 'u' | 'U' | 'x')) | None => known = true,
                Some(_) => change.push((piece.start + i..piece.start + i, "\\".to_owned())),
            }
        }
        if !known && !change.is_empty() {
            found.push(change);
        }
    }
    found
}

/// A quote that is missing at the beginning or the end of a word, or is of the other kind there.
fn quotes(line: &[Piece<'_>]) -> Vec<Change> {
    let mut found = Vec::new();
    for (i, piece) in line.iter().enumerate() {
        let text = piece.text.trim_end();
        let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            // `pop.sleep"`: the rest of it up to the quote
            let starts = i > 0 && matches!(line[i - 1].kind, Kind::Equals | Kind::Open | Kind::Comma);
            let closes = line[i..].iter().find(|p| p.text.ends_with('"'));
            if starts && closes.is_some() && piece.kind == Kind::Word {
                found.push(vec![(piece.start..piece.start, "\"".to_owned())]);
            }
            continue;
        };
        if text.len() > 1 && text.ends_with(quote) && i + 1 < line.len() {
            continue;
        }
        let other = if quote == '"' { '\'' } else { '"' };
        if text.ends_with(other) && text.matches(other).count() == 1 {
            let end = piece.start + text.len();
            found.push(vec![(end - 1..end, quote.to_string())]);
            continue;
        }
        // up to the brackets that the line must still close
        let inner = text.trim_end_matches([' ', ']', '}', ',']);
        let shell = inner.len() < text.len() && inner.contains([' ', ',', '[', '{']);
        let open: usize = line[..i].iter().filter(|p| p.kind == Kind::Open).count();
        if inner.len() > 1 && open > 0 && !shell {
            found.push(vec![(piece.start + inner.len()..piece.start + inner.len(), quote.to_string())]);
        }
        if text.len() > 1 && open == 0 && !text.contains('#') {
            let end = piece.start + text.len();
            found.push(vec![(end..end, quote.to_string())]);
        }
    }
    found
}

/// A bracket that is still open at the end of the line before, or of this one.
fn open_bracket(text: &str, at: usize) -> Vec<Change> {
    let mut found = Vec::new();
    let before = text[..at].trim_end();
    for place in [before.len(), at] {
        let line = pieces(text, place);
        let mut open: Vec<&str> = Vec::new();
        for piece in &line {
            match piece.kind {
                Kind::Open => open.push(piece.text),
                Kind::Close => {
                    open.pop();
                }
                _ => {}
            }
        }
        let Some(last) = line.last() else { continue };
        let headed = line.first().is_some_and(|first| first.kind == Kind::Open);
        if open.is_empty() || headed || matches!(last.kind, Kind::Open | Kind::Comma | Kind::Equals) {
            continue;
        }
        let close: String = open.iter().rev().map(|open| if *open == "{" { " }" } else { "]" }).collect();
        found.push(vec![(last.end()..last.end(), close)]);
    }
    found
}
