//! What the texts and words of broken JSON stand for.

use std::ops::Range;

use crate::tree::{Text, TextBuilder, number};

/// What is written between quotes at `range`, and where the backslashes are that begin no escape; those stand for
/// themselves.
pub(super) fn unescape(source: &str, range: Range<usize>) -> (Text, Vec<usize>) {
    let raw = &source[range.clone()];
    if !raw.contains('\\') {
        return (Text::plain(raw.to_owned(), range.start), Vec::new());
    }
    let (mut text, mut wrong) = (TextBuilder::default(), Vec::new());
    let mut at = 0;
    while at < raw.len() {
        let rest = &raw[at..];
        let place = range.start + at;
        let run = rest.find('\\').unwrap_or(rest.len());
        if run > 0 {
            text.push_str(&rest[..run], place);
            at += run;
            continue;
        }
        let (c, width) = escape(rest).unwrap_or_else(|| {
            wrong.push(place);
            ('\\', 1)
        });
        text.push_char(c, place);
        at += width;
    }
    (text.finish(range.start), wrong)
}

/// The character that an escape stands for, and its length.
fn escape(text: &str) -> Option<(char, usize)> {
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let c = match text.as_bytes().get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        _ => {
            let first = unit(text)?;
            if let Some(c) = char::from_u32(first) {
                return Some((c, 6));
            }
            let second = unit(text.get(6..)?).filter(|n| (0xdc00..0xe000).contains(n))?;
            let code = 0x10000 + (first.checked_sub(0xd800)? << 10) + (second - 0xdc00);
            return char::from_u32(code).map(|c| (c, 12));
        }
    };
    Some((c, 2))
}

/// A word as JSON writes that number, if it is one.
pub(super) fn number_of(word: &str) -> Option<String> {
    let right = |text: &str| json_number(text).then(|| text.to_owned());
    if !word.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return None;
    }
    right(word).or_else(|| {
        let plain = word.replace('_', "");
        let (sign, digits) = match plain.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", plain.strip_prefix('+').unwrap_or(&plain)),
        };
        if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
            return u64::from_str_radix(hex, 16).ok().map(|n| format!("{sign}{n}"));
        }
        let trimmed = digits.trim_start_matches('0');
        let zero = if trimmed.starts_with(|c: char| c.is_ascii_digit()) { "" } else { "0" };
        let trimmed = trimmed.strip_suffix('.').unwrap_or(trimmed);
        right(&format!("{sign}{zero}{trimmed}"))
    })
}

fn json_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let zeros = whole > 1 && digits.starts_with('0');
    whole > 0 && !zeros && number(text).is_some()
}
