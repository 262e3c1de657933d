//! Suggestions: the known name nearest to an unknown one.

use std::cell::Cell;

/// Budget of comparisons for one file; a long name counts for several. A file with many unknown names and many
/// candidates would take long, and nobody reads that many suggestions.
const MOST_COMPARED: usize = 1_000_000;

/// Longest name with a suggestion, in bytes.
const LONGEST: usize = 200;

/// The rest of [`MOST_COMPARED`].
#[derive(Debug)]
pub(crate) struct Guesses(Cell<usize>);

impl Guesses {
    pub(crate) fn new() -> Self {
        Self(Cell::new(MOST_COMPARED))
    }

    /// The candidates; none once the budget is spent. A lookup that has started runs to its end, because half of the
    /// candidates would give a wrong suggestion.
    pub(crate) fn among<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
    ) -> impl Iterator<Item = &'n str> {
        let names = (self.0.get() > 0).then(|| names.into_iter());
        names.into_iter().flatten().inspect(|name| {
            let size = name.len().min(LONGEST) / 16;
            self.0.set(self.0.get().saturating_sub(1 + size * size));
        })
    }
}

/// A suggested name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near<'a> {
    /// The name.
    pub name: &'a str,
    /// Whether a tool may use the name without asking: no other candidate is as close, and the word looks like a typing
    /// error.
    pub certain: bool,
}

impl<'a> From<&'a str> for Near<'a> {
    /// A certain suggestion.
    fn from(name: &'a str) -> Self {
        Self { name, certain: true }
    }
}

/// The candidate closest to `word`, if one is close enough. At most a third of the letters, and at least one, may
/// differ by insertion, deletion, replacement or a swap of neighbours. Letter case costs nothing. Among equals, the
/// first in the alphabet wins.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest(word, candidates).map(|near| near.name)
}

/// As [`closest`], with the certainty of the suggestion. Very short names, names with another beginning (`decode` and
/// `encode`) and names that differ in a digit (`step1` and `step2`) are never certain.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<Near<'a>> {
    if word.len() > LONGEST {
        return None;
    }
    let lower: Vec<char> = word.to_lowercase().chars().take(100).collect();
    let bound = (lower.len() / 3).max(1);
    let short = word.is_ascii() && word.len() <= 100;
    let letters = letters_of(word);
    let mut best: Option<(usize, &str)> = None;
    let mut tied = false;
    for candidate in candidates {
        if candidate.len() > LONGEST {
            continue;
        }
        let limit = best.map_or(bound, |(d, _)| d);
        if short && is_far(word, letters, candidate, limit) {
            continue;
        }
        let other: Vec<char> = candidate.to_lowercase().chars().take(100).collect();
        if other.len().abs_diff(lower.len()) > limit {
            continue;
        }
        let Some(distance) = distance(&lower, &other, limit) else { continue };
        match best {
            Some((d, name)) if d == distance => {
                tied |= name != candidate;
                best = Some((d, name.min(candidate)));
            }
            _ => (best, tied) = (Some((distance, candidate)), false),
        }
    }
    best.map(|(distance, name)| Near { name, certain: !tied && (distance == 0 || is_slip(word, name)) })
}

/// Whether a near word looks like a slip of the fingers and not like another name: those begin alike, have the same
/// digits, and differ little in each of their parts (`min_size` is no misspelt `max_size`, `part_a` no `part_b`).
fn is_slip(word: &str, name: &str) -> bool {
    let (word, name) = (word.to_lowercase(), name.to_lowercase());
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let letters = |text: &str| text.chars().count();
    let (shorter, longer) = (letters(&word).min(letters(&name)), letters(&word).max(letters(&name)));
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    let long = shorter >= 3 && (longer >= 4 || sorted(&word) == sorted(&name));
    let dots = |text: &str| text.matches('.').count();
    let odd = name.contains(|c: char| !c.is_alphanumeric() && !"_-.".contains(c) && !word.contains(c));
    let written_alike = dots(&word) == dots(&name) && !odd;
    long && written_alike && digits(&word) == digits(&name) && begin_alike(&word, &name) && {
        let mark = |c: char| !c.is_alphanumeric();
        let parts = word.split(mark).count() == name.split(mark).count();
        !parts || word.split(mark).zip(name.split(mark)).all(|(a, b)| a == b || is_near_part(a, b))
    }
}

fn is_near_part(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(100).collect(), b.chars().take(100).collect());
    a.len().max(b.len()) >= 3 && distance(&a, &b, (a.len() / 3).max(1)).is_some()
}

/// Whether two words have the same first letter, or the first two of one the wrong way round, or one too many.
fn begin_alike(a: &str, b: &str) -> bool {
    let first = |text: &str| {
        let mut chars = text.chars();
        (chars.next(), chars.next())
    };
    let ((a0, a1), (b0, b1)) = (first(a), first(b));
    let lacks = |long: &str, short: &str| {
        let mut rest = long.chars();
        rest.next();
        rest.as_str() == short
    };
    a0 == b0 || (a0, a1) == (b1, b0) || lacks(a, b) || lacks(b, a)
}

/// As [`nearest`] among the few values that can stand at a place: two letters or digits in the wrong order are certain
/// too. One that ends otherwise is not, nor is a short one with another letter in it: `1080i` is no misspelt `1080p`.
pub fn nearest_word<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<Near<'a>> {
    let sorted = |text: &str| {
        let mut digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
        digits.sort_unstable();
        digits
    };
    let words: Vec<&str> = words.into_iter().collect();
    let near = nearest(word, words.iter().copied())?;
    // among these, one digit for another would be as near
    let lone = words.iter().filter(|other| sorted(other) == sorted(near.name)).count() == 1;
    let swapped = lone && sorted(word) == sorted(near.name) && word.len() >= 3;
    Some(Near { certain: (near.certain || swapped) && !is_other_value(word, near.name), ..near })
}

/// From so many letters on, one for another is seldom another value.
const LONG_VALUE: usize = 6;

/// Whether a near word is as likely another value: `dts` beside `dtsx`, `publish` beside `public`, `left` beside `lift`. What
/// has a digit in it is a code: `us-east-1` and `us-west-1`, `int8` and `uint8`, `v1.2.3` and `v1.3.2` are all real.
fn is_other_value(word: &str, name: &str) -> bool {
    let (word, name): (Vec<char>, Vec<char>) =
        (word.to_lowercase().chars().collect(), name.to_lowercase().chars().collect());
    if word == name {
        return false;
    }
    let sorted = |letters: &[char]| {
        let mut letters = letters.to_vec();
        letters.sort_unstable();
        letters
    };
    let code = |letters: &[char]| letters.iter().any(char::is_ascii_digit);
    if code(&word) || code(&name) {
        let parts = name.iter().any(|c| !c.is_alphanumeric());
        return parts || sorted(&word) != sorted(&name);
    }
    // the same letters in another order are a slip wherever they stand
    let exchanged = word.len() == name.len() && sorted(&word) != sorted(&name);
    let ends_otherwise = word.last() != name.last() && (exchanged || word.len() != name.len());
    ends_otherwise || exchanged && word.len() < LONG_VALUE
}

/// Which letters are in a text: a bit each, without letter case.
fn letters_of(text: &str) -> u64 {
    text.bytes().fold(0, |letters, byte| letters | 1 << (byte.to_ascii_lowercase() % 64))
}

/// What shows at a glance that two words of ASCII, the first of at most 100 letters, differ in more than `limit` places:
/// their lengths, or that one has too many letters that the other has not (a change takes one away and adds one).
fn is_far(word: &str, letters: u64, other: &str, limit: usize) -> bool {
    let length = word.len().abs_diff(other.len());
    other.is_ascii()
        && other.len() <= 100
        && (length > limit || (letters ^ letters_of(other)).count_ones() as usize > 2 * limit)
}

/// The optimal string alignment distance; none when it is more than `limit`.
fn distance(a: &[char], b: &[char], limit: usize) -> Option<usize> {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row = before.clone();
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        // no later row gets below what is the least in this one
        if row.iter().all(|d| *d > limit) {
            return None;
        }
        std::mem::swap(&mut before, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    Some(last[b.len()]).filter(|d| *d <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_mistakes_find_their_name() {
        let names = ["duration", "height", "probe", "package"];
        for (word, name) in
            [("duratoin", "duration"), ("hieght", "height"), ("Probe", "probe"), ("pakage", "package")]
        {
            assert_eq!(closest(word, names), Some(name), "{word}");
        }
        assert_eq!(closest("encode", names), None);
        assert_eq!(closest("x", ["y"]), Some("y"));
        assert_eq!(closest("step", ["stop", "steps"]), Some("steps"));
    }

    #[test]
    fn a_value_that_may_be_another_one_is_not_certain() {
        let certain = |word, name: &str| nearest_word(word, [name, "else"]).unwrap().certain;
        for (word, name) in [
            ("1080i", "1080p"),
            ("dts", "dtsx"),
            ("dtsx", "dts"),
            ("rgb", "rgba"),
            ("publish", "public"),
            ("left", "lift"),
            ("monthl", "months"),
            ("us-east-1", "us-west-1"),
            ("yuv420p10le", "yuv420p10be"),
            ("2024-01", "2024-10"),
            ("int8", "uint8"),
        ] {
            assert!(!certain(word, name), "{word} {name}");
        }
        for (word, name) in [
            ("medum", "medium"),
            ("h246", "h264"),
            ("H264", "h264"),
            ("pubilc", "public"),
            ("publci", "public"),
            ("secrett", "secret"),
            ("standerd", "standard"),
        ] {
            assert!(certain(word, name), "{word} {name}");
        }
    }

    #[test]
    fn only_a_lone_and_close_name_is_certain() {
        let certain = |word, names: &[&str]| nearest(word, names.iter().copied()).map(|n| n.certain);
        assert_eq!(certain("hieght", &["height", "weight"]), Some(true));
        assert_eq!(certain("eight", &["height", "weight"]), Some(false));
        assert_eq!(certain("PROBE", &["probe", "prove"]), Some(true));
        assert_eq!(certain("Probe", &["PROBE", "probe"]), Some(false));
        assert_eq!(certain("probe", &["prob", "prob"]), Some(true));
        assert_eq!(certain("x", &["y"]), Some(false));
        assert_eq!(certain("step2", &["step1"]), Some(false));
        for (word, name) in [
            ("cat", "bat"),
            ("ab", "abc"),
            ("encode", "decode"),
            ("import", "export"),
            ("weight", "height"),
            ("min_size", "max_size"),
            ("part_a", "part_b"),
            ("x.in", "x.on"),
            ("image.still", "image..still"),
            ("review.ask", "rev=ew.ask"),
        ] {
            assert!(!certain(word, &[name]).unwrap_or_default(), "{word}");
        }
        for (word, name) in [
            ("use", "uses"),
            ("wth", "with"),
            ("ulr", "url"),
            ("rpobe", "probe"),
            ("robe", "probe"),
            ("pprobe", "probe"),
            ("media.encod", "media.encode"),
            ("max_sise", "max_size"),
            ("maxsize", "max_size"),
            ("überblik", "überblick"),
        ] {
            assert_eq!(certain(word, &[name]), Some(true), "{word}");
        }
    }
}
