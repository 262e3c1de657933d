//! Did you mean: the name that was probably meant.

/// The candidate that is closest to `word`, if one is close enough: at most a third of the letters (one at least)
/// differ by insertion, deletion, replacement or a swap of neighbours. Letter case costs nothing; ties go to the first.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower: Vec<char> = word.to_lowercase().chars().take(100).collect();
    let bound = (lower.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other: Vec<char> = candidate.to_lowercase().chars().take(100).collect();
        if other.len().abs_diff(lower.len()) > bound {
            continue;
        }
        let limit = best.map_or(bound, |(d, _)| d.saturating_sub(1));
        let distance = distance(&lower, &other);
        if distance <= limit && best.is_none_or(|(d, _)| distance < d) {
            best = Some((distance, candidate));
            if distance == 0 {
                break;
            }
        }
    }
    best.map(|(_, name)| name)
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
    }
}
