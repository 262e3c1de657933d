//! JSON that can't be read, where one small change is the obvious one. It is only made when nothing is wrong with the form of the text then.

use std::ops::Range;

use serde_json::Value as Json;

use super::judge::Reading;
use crate::fmt::{Kind, lex};
use crate::suggest;
use crate::syntax::Door;

/// Larger files are not tried.
const MAX_TEXT: usize = 1 << 20;

/// Nobody reads longer lines, and much could be changed in them.
const MAX_LINE: usize = 2_000;

/// What to replace with what for the error at byte `at`; `read` reads a text. Among the changes after which nothing is
/// wrong any more, all must make the text say the same.
pub(super) fn change(
    text: &str,
    at: usize,
    read: &dyn Fn(&str) -> Option<Reading>,
) -> Option<(Range<usize>, String)> {
    let at = at.min(text.len());
    if text.len() > MAX_TEXT || !text.is_char_boundary(at) {
        return None;
    }
    let from = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let to = text[at..].find('\n').map_or(text.len(), |n| at + n);
    if to - from > MAX_LINE {
        return None;
    }
    let mut best: Option<(Json, (Range<usize>, String))> = None;
    for (range, new) in candidates(text, at, from, to) {
        let mut changed = text.to_owned();
        changed.replace_range(range.clone(), &new);
        let after = read(&changed)?;
        if after.faults() > 0 {
            continue;
        }
        let says = after.tree.to_json();
        match &best {
            Some((other, _)) if *other != says => return None,
            Some(_) => {}
            None => best = Some((says, (range, new))),
        }
    }
    best.map(|(_, change)| change)
}

fn candidates(text: &str, at: usize, from: usize, to: usize) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let (rest, line) = (&text[at..to], &text[from..to]);
    let before = text[..at].trim_end();
    // another language's colon, and no colon at all
    for other in ["=>", ":=", "="] {
        found.extend(
            line.match_indices(other).map(|(i, _)| (from + i..from + i + other.len(), ":".to_owned())).next(),
        );
    }
    if before.ends_with('"') && !before.ends_with(":\"") {
        found.push((before.len()..before.len(), ":".to_owned()));
    }
    // a comma too many
    for (i, _) in line.match_indices(',') {
        if text[..from + i].trim_end().ends_with([',', '{', '[']) {
            found.push((from + i..from + i + 1, String::new()));
        }
    }
    if let Some(hash) = line.find('#') {
        found.push((from + hash..from + hash + 1, "//".to_owned()));
    }
    // a word without quotes
    let content = |c: char| c.is_alphanumeric() || "_./@+-".contains(c);
    let start = text[from..at].rfind(|c| !content(c)).map_or(from, |i| from + i + 1);
    let start = if text.is_char_boundary(start) { start } else { at };
    let end = at + rest.find(|c| !content(c)).unwrap_or(rest.len());
    let word = &text[start..end];
    match word.to_lowercase().as_str() {
        "" => {}
        known @ ("true" | "false") => found.push((start..end, known.to_owned())),
        "none" | "nil" | "undefined" => found.push((start..end, "null".to_owned())),
        // `ture` may be a text or a truth
        other if suggest::closest(other, ["true", "false", "null"]).is_some() => {}
        _ => found.push((start..end, format!("\"{word}\""))),
    }
    // a quote that is missing: where the line's strings stop making sense
    let content = line.trim_end();
    let inner = content.trim_end_matches([' ', ',', '}', ']']);
    let quotes = content.matches('"').count() - content.matches("\\\"").count();
    if quotes % 2 == 1 && inner.ends_with('\'') {
        found.push((from + inner.len() - 1..from + inner.len(), "\"".to_owned()));
    }
    if quotes % 2 == 1 && !inner.ends_with('"') {
        found.push((from + inner.len()..from + inner.len(), "\"".to_owned()));
        found.push((
            from + content.trim_end_matches(',').len()..from + content.trim_end_matches(',').len(),
            "\"".to_owned(),
        ));
    }
    // brackets that are open at the end of the file
    let mut open = Vec::new();
    for token in lex(text, Door::Json) {
        match (token.kind, token.text) {
            (Kind::Open, "{") => open.push('}'),
            (Kind::Open, _) => open.push(']'),
            (Kind::Close, _) => {
                open.pop();
            }
            _ => {}
        }
    }
    if let [one] = open.as_slice() {
        let end = text.trim_end().len();
        let line = if text.contains("\r\n") { "\r\n" } else { "\n" };
        found.push((end..end, format!("{line}{one}")));
    }
    found
}
