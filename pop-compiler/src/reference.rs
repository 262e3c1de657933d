//! POP's native references: `@<name::/pointer?default>` in string values. This module finds, prints and replaces them.
//! The caller decides the meaning of a name.
//!
//! A token ends at the first `>`. In a pointer `~2` stands for `>` and `~3` for `?`, besides RFC 6901's `~0` and `~1`.
//! A default replaces an absent value and null. A default that starts with `=` and continues as JSON is that value. Any
//! other default is text, and an empty default is null. `?=null` is null for a part that an output lacks, but not for a
//! missing output. `??=JSON` is another value in the same sense (see [`Fallback`]).
//! Backslashes directly before `@<` escape: an odd number makes the rest plain text, and pairs become one.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;

mod dig;
mod fallback;
mod print;

pub(crate) use dig::dig;
pub use fallback::Fallback;
pub(crate) use print::write;

/// Names without `.out` that have a value while an agenda runs.
pub(crate) const RUN_TOKENS: [&str; 3] = ["pop.agendaId", "pop.customerId", "pop.operationName"];

/// One reference, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// The whole token, with `@<` and `>`.
    pub text: &'a str,
    /// The name, such as `probe.out`.
    pub name: &'a str,
    /// The pointer as written, without the default; none without `::`.
    pub pointer: Option<&'a str>,
    /// The default as written; none without `?`.
    pub default: Option<&'a str>,
}

/// A reference for printing.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The name, such as `probe.out`.
    pub name: String,
    /// Keys and indices to follow; an empty path means the whole value.
    pub path: Vec<String>,
    /// Replacement for an absent value.
    pub default: Option<Fallback>,
}

/// The pass of a substitution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The last pass: escapes are resolved, and every name should be known.
    Final,
    /// Expansion of a template: unknown names stay for the final pass, and escapes stay. Inserted values are escaped,
    /// so that the final pass returns them unchanged.
    Template,
    /// As [`Mode::Template`], but inserted values are template text: their references stay references, and their
    /// escapes stay escapes.
    Splice,
}

/// Tokens without a replacement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Whole tokens with an unknown name.
    pub missing: BTreeSet<String>,
    /// Whole tokens whose pointer leads nowhere, and tokens whose value cannot be part of a longer text.
    pub invalid: BTreeSet<String>,
}

impl<'a> Token<'a> {
    /// Parses a text that is one token, as [`Spots`] finds it.
    fn parse(text: &'a str) -> Self {
        let inner = text.get(2..text.len().saturating_sub(1)).unwrap_or_default();
        // A name has at least one character, so `::` at the very start belongs to it.
        let skip = inner.chars().next().map_or(0, char::len_utf8);
        let (name, rest) = match inner[skip..].find("::") {
            Some(at) if at + skip + 2 < inner.len() => (&inner[..at + skip], Some(&inner[at + skip + 2..])),
            _ => (inner, None),
        };
        let (pointer, default) = match rest.map(|r| r.split_once('?')) {
            None => (None, None),
            Some(None) => (rest, None),
            Some(Some((pointer, default))) => (Some(pointer), Some(default)),
        };
        Self { text, name, pointer, default }
    }

    /// Keys and indices of the pointer; empty for the whole value.
    pub fn path(&self) -> Vec<String> {
        let pointer = self.pointer.unwrap_or_default();
        if pointer.is_empty() || pointer == "/" {
            return Vec::new();
        }
        pointer.strip_prefix('/').unwrap_or(pointer).split('/').map(unescape_key).collect()
    }
}

impl Token<'_> {
    /// Whether the token stands for the outputs of a whole family, as a list.
    pub(crate) fn is_family(&self) -> bool {
        self.name.ends_with(".*.out")
    }
}

/// The operation whose output a token's name stands for: the name without a trailing `.out`.
pub fn operation_of(name: &str) -> Option<&str> {
    name.strip_suffix(".out").filter(|n| !n.is_empty())
}

/// The token of a text that is exactly one token.
pub fn whole(text: &str) -> Option<Token<'_>> {
    let inner = text.strip_prefix("@<")?.strip_suffix('>')?;
    (!inner.is_empty() && !inner.contains(['>', '\n'])).then(|| Token::parse(text))
}

/// The tokens of a text with their ranges; escaped tokens are plain text.
pub fn tokens(text: &str) -> Vec<(Range<usize>, Token<'_>)> {
    let mut found = Vec::new();
    pieces(text, &mut |piece| {
        if let Piece::Token(at, token) = piece {
            found.push((at..at + token.text.len(), token));
        }
    });
    found
}

enum Piece<'a> {
    /// Plain text, escapes resolved.
    Text(&'a str),
    Token(usize, Token<'a>),
}

/// Possible places of tokens, escaped or not. One search for the end of a token serves all starts before it, so a text
/// takes linear time, whatever it holds.
struct Spots<'a> {
    text: &'a str,
    /// Start of the next search.
    search: usize,
    /// The first `>` or newline at or after `search`, or the length of the text; stale when it is before `search`.
    stop: usize,
}

impl<'a> Spots<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, search: 0, stop: 0 }
    }

    /// The next place: its start, and its possible end.
    fn next(&mut self) -> Option<(usize, usize)> {
        loop {
            let at = self.search + self.text[self.search..].find("@<")?;
            self.search = at + 2;
            if self.stop < self.search {
                let found = self.text[self.search..].find(['>', '\n']);
                self.stop = found.map_or(self.text.len(), |n| self.search + n);
            }
            if self.stop > self.search && self.text[self.stop..].starts_with('>') {
                return Some((at, self.stop + 1));
            }
        }
    }
}

/// Calls `each` for the pieces of a text, from left to right, once.
fn pieces<'a>(text: &'a str, each: &mut dyn FnMut(Piece<'a>)) {
    let (mut from, mut spots) = (0, Spots::new(text));
    while let Some((at, end)) = spots.next() {
        let slashes = text[from..at].bytes().rev().take_while(|b| *b == b'\\').count();
        // Half of the backslashes stay; an odd one makes what follows plain text.
        each(Piece::Text(&text[from..at - slashes + slashes / 2]));
        from = at;
        if slashes % 2 == 0 {
            from = end;
            spots.search = end;
            each(Piece::Token(at, Token::parse(&text[at..end])));
        }
    }
    each(Piece::Text(&text[from..]));
}

/// Calls `each` with the JSON pointer, the text and the token of every reference in `value`. Object keys contain no
/// references.
pub fn scan<'a>(value: &'a Value, each: &mut dyn FnMut(&str, &'a str, &Token<'a>)) {
    enum Children<'a> {
        Items(std::iter::Enumerate<std::slice::Iter<'a, Value>>),
        Fields(serde_json::map::Iter<'a>),
    }
    // One path for all: a key is written once, however much is below it.
    let mut path = String::new();
    let mut open: Vec<(usize, Children<'a>)> = Vec::new();
    let mut next = Some(value);
    loop {
        match next {
            Some(Value::String(text)) if text.contains("@<") => {
                for (_, token) in tokens(text) {
                    each(&path, text, &token);
                }
            }
            Some(Value::Array(items)) => open.push((path.len(), Children::Items(items.iter().enumerate()))),
            Some(Value::Object(map)) => open.push((path.len(), Children::Fields(map.iter()))),
            _ => {}
        }
        let Some((length, children)) = open.last_mut() else { return };
        path.truncate(*length);
        path.push('/');
        next = match children {
            Children::Items(items) => items.next().map(|(i, item)| {
                path.push_str(&i.to_string());
                item
            }),
            Children::Fields(fields) => fields.next().map(|(key, field)| {
                path.push_str(&key.replace('~', "~0").replace('/', "~1"));
                field
            }),
        };
        if next.is_none() {
            open.pop();
        }
    }
}

/// Whether a reference in these values is `wanted`.
pub(crate) fn any_token<'v>(
    values: impl IntoIterator<Item = &'v Value>,
    wanted: &dyn Fn(&Token<'_>) -> bool,
) -> bool {
    let mut stack = Vec::new();
    let mut found = false;
    for value in values {
        stack.push(value);
        while let Some(value) = stack.pop() {
            match value {
                Value::String(text) if text.contains("@<") => pieces(text, &mut |piece| {
                    found |= matches!(piece, Piece::Token(_, token) if wanted(&token));
                }),
                Value::Array(items) => stack.extend(items),
                Value::Object(map) => stack.extend(map.values()),
                _ => {}
            }
        }
    }
    found
}

/// Replaces every reference in `value` by the value that `lookup` has for its name. One pass: inserted values are not
/// searched.
pub fn substitute<'c>(
    value: &Value,
    lookup: &dyn Fn(&str) -> Option<&'c Value>,
    mode: Mode,
) -> (Value, Report) {
    let mut report = Report::default();
    let mut out = value.clone();
    fill(&mut out, lookup, mode, &mut report);
    (out, report)
}

/// [`substitute`] in place.
pub(crate) fn fill<'c>(
    value: &mut Value,
    lookup: &dyn Fn(&str) -> Option<&'c Value>,
    mode: Mode,
    report: &mut Report,
) {
    let mut stack = vec![value];
    while let Some(value) = stack.pop() {
        match value {
            Value::String(text) if text.contains("@<") => *value = string(text, lookup, mode, report),
            Value::Array(items) => stack.extend(items.iter_mut()),
            Value::Object(map) => stack.extend(map.values_mut()),
            _ => {}
        }
    }
}

fn string<'c>(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<&'c Value>,
    mode: Mode,
    report: &mut Report,
) -> Value {
    if let Some(token) = whole(text) {
        // a default stands in for each item, and here are none
        if mode == Mode::Final && token.is_family() && token.copes() && lookup(token.name).is_none() {
            return Value::Array(Vec::new());
        }
        return match resolve(&token, lookup, mode, report) {
            Some(value) if mode == Mode::Template => escaped(value.into_owned()),
            Some(value) => value.into_owned(),
            None => Value::from(text),
        };
    }
    let mut out = String::with_capacity(text.len());
    let mut kept = Vec::new();
    pieces(text, &mut |piece| match piece {
        Piece::Text(text) => out.push_str(text),
        Piece::Token(_, token) => match resolve(&token, lookup, mode, report).map(|v| scalar(&v)) {
            Some(Some(text)) if mode == Mode::Splice => pieces(&text, &mut |piece| match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Token(_, token) => {
                    kept.push(out.len());
                    out.push_str(token.text);
                }
            }),
            Some(Some(text)) => out.push_str(&text),
            Some(None) => {
                report.invalid.insert(format!("{} cannot be used in composite string", token.name));
                kept.push(out.len());
                out.push_str(token.text);
            }
            None => {
                kept.push(out.len());
                out.push_str(token.text);
            }
        },
    });
    match mode {
        Mode::Final => Value::String(out),
        Mode::Template | Mode::Splice => Value::String(protect(&out, &kept).into_owned()),
    }
}

/// Replaces tokens by template text, whose references and escapes stay. A token without a replacement stays. One pass:
/// inserted text is not searched.
pub(crate) fn rewrite(mut value: Value, replace: &dyn Fn(&Token<'_>) -> Option<Value>) -> Value {
    let mut stack = vec![&mut value];
    while let Some(value) = stack.pop() {
        match value {
            Value::String(text) if text.contains("@<") => {
                let new = match whole(text) {
                    Some(token) => replace(&token),
                    None => Some(rewrite_text(text, replace)),
                };
                if let Some(new) = new {
                    *value = new;
                }
            }
            Value::Array(items) => stack.extend(items.iter_mut()),
            Value::Object(map) => stack.extend(map.values_mut()),
            _ => {}
        }
    }
    value
}

fn rewrite_text(text: &str, replace: &dyn Fn(&Token<'_>) -> Option<Value>) -> Value {
    let mut out = String::with_capacity(text.len());
    let mut kept = Vec::new();
    pieces(text, &mut |piece| match piece {
        Piece::Text(text) => out.push_str(text),
        Piece::Token(_, token) => {
            let Some(text) = replace(&token).as_ref().and_then(scalar) else {
                kept.push(out.len());
                out.push_str(token.text);
                return;
            };
            pieces(&text, &mut |piece| match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Token(_, token) => {
                    kept.push(out.len());
                    out.push_str(token.text);
                }
            });
        }
    });
    Value::String(protect(&out, &kept).into_owned())
}

fn resolve<'c>(
    token: &Token<'_>,
    lookup: &dyn Fn(&str) -> Option<&'c Value>,
    mode: Mode,
    report: &mut Report,
) -> Option<Cow<'c, Value>> {
    let Some(root) = lookup(token.name) else {
        if mode == Mode::Final && token.copes() {
            return token.default_value().map(Cow::Owned);
        }
        report.missing.insert(token.text.to_owned());
        return None;
    };
    let default = token.default_value().map(Cow::Owned);
    if let Some(value) = follow(root, &token.path()).filter(|value| !value.is_null() || default.is_none()) {
        return Some(Cow::Borrowed(value));
    }
    if default.is_none() {
        report.invalid.insert(token.text.to_owned());
    }
    default
}

/// The value at a path of keys and indices.
pub fn follow<'v>(root: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(root, |value, key| match value {
        Value::Object(map) => map.get(key),
        Value::Array(items)
            if key == "0" || (!key.starts_with('0') && key.bytes().all(|b| b.is_ascii_digit())) =>
        {
            key.parse::<usize>().ok().and_then(|i| items.get(i))
        }
        _ => None,
    })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
        other => Some(other.to_string()),
    }
}

/// The text with every token escaped: the final pass returns the original text.
pub fn escape(text: &str) -> Cow<'_, str> {
    protect(text, &[])
}

/// Escapes a text so that the final pass sees tokens exactly at `kept` and returns the rest unchanged.
fn protect<'t>(text: &'t str, kept: &[usize]) -> Cow<'t, str> {
    if !text.contains("@<") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let (mut from, mut spots) = (0, Spots::new(text));
    while let Some((at, end)) = spots.next() {
        let is_token = kept.binary_search(&at).is_ok();
        let slashes = text[from..at].bytes().rev().take_while(|b| *b == b'\\').count();
        out.push_str(&text[from..at]);
        out.extend(std::iter::repeat_n('\\', slashes + usize::from(!is_token)));
        from = at;
        if is_token {
            spots.search = end;
        }
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

pub(crate) fn escaped(mut value: Value) -> Value {
    let mut stack = vec![&mut value];
    while let Some(value) = stack.pop() {
        match value {
            Value::String(text) => {
                if let Cow::Owned(new) = escape(text) {
                    *text = new;
                }
            }
            Value::Array(items) => stack.extend(items.iter_mut()),
            Value::Object(map) => stack.extend(map.values_mut()),
            _ => {}
        }
    }
    value
}

fn unescape_key(key: &str) -> String {
    if key.contains('~') {
        key.replace("~3", "?").replace("~2", ">").replace("~1", "/").replace("~0", "~")
    } else {
        key.to_owned()
    }
}

#[cfg(test)]
mod tests;
