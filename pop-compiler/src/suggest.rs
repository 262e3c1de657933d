//! Did you mean: the name that was probably meant.

/// A name that was probably meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near<'a> {
    /// The name.
    pub name: &'a str,
    /// Whether a tool may put it there without asking: no other name is as close, and more is left of the word than
    /// was changed.
    pub certain: bool,
}

impl<'a> From<&'a str> for Near<'a> {
    /// A name that is known to be meant.
    fn from(name: &'a str) -> Self {
        Self { name, certain: true }
    }
}

/// The candidate that is closest to `word`, if one is close enough: at most a third of the letters (one at least)
/// differ by insertion, deletion, replacement or a swap of neighbours. Letter case costs nothing; ties go to the first in the alphabet.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest(word, candidates).map(|near| near.name)
}

/// As [`closest`], and whether it is certain. Names that differ in a digit are never certain: `step2` is seldom a
/// misspelt `step1`.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<Near<'a>> {
    let lower: Vec<char> = word.to_lowercase().chars().take(100).collect();
    let bound = (lower.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    let mut tied = false;
    for candidate in candidates {
        let other: Vec<char> = candidate.to_lowercase().chars().take(100).collect();
        let limit = best.map_or(bound, |(d, _)| d);
        if other.len().abs_diff(lower.len()) > limit {
            continue;
        }
        let distance = distance(&lower, &other);
        if distance > limit {
            continue;
        }
        match best {
            Some((d, name)) if d == distance => {
                tied |= name != candidate;
                best = Some((d, name.min(candidate)));
            }
            _ => (best, tied) = (Some((distance, candidate)), false),
        }
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    best.map(|(distance, name)| Near {
        name,
        certain: !tied && (distance == 0 || lower.len() >= 3 && digits(word) == digits(name)),
    })
}

/// The optimal string alignment distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
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
    fn only_a_lone_and_close_name_is_certain() {
        let certain = |word, names: &[&str]| nearest(word, names.iter().copied()).map(|n| n.certain);
        assert_eq!(certain("hieght", &["height", "weight"]), Some(true));
        assert_eq!(certain("eight", &["height", "weight"]), Some(false));
        assert_eq!(certain("PROBE", &["probe", "prove"]), Some(true));
        assert_eq!(certain("Probe", &["PROBE", "probe"]), Some(false));
        assert_eq!(certain("probe", &["prob", "prob"]), Some(true));
        assert_eq!(certain("x", &["y"]), Some(false));
        assert_eq!(certain("step2", &["step1"]), Some(false));
    }
}
