//! Fixes: from drafts of rules to edits, and from edits to new texts. This module writes no file.

mod drafts;
mod entry;
mod fixpoint;
mod reparse;
mod verify;

use std::collections::{BTreeMap, HashSet};

use crate::diagnostic::{Diagnostic, Edit, Location, Severity};
use crate::rules;
use crate::source::{FileId, Sources};

pub(crate) use drafts::complete;
pub use fixpoint::{Changed, Compilation, Files, all};

/// Result of one round of fixes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// The new text of each file that changed.
    pub files: Vec<(FileId, String)>,
    /// Positions of the fixed findings.
    pub findings: Vec<usize>,
}

/// Rules whose fix removes a part without an effect. Among errors, the part may only seem useless.
const NEEDLESS: [&str; 4] = [
    rules::redundant_after::RULE.id,
    rules::constant_when::RULE.id,
    rules::unused_type::RULE.id,
    rules::useless_allow::RULE.id,
];

/// Applies the fixes of the most urgent findings, in their order: first syntax errors, then names in allow comments,
/// then the rest. While there are errors, no part is removed as useless. A file with a syntax error gets no other
/// change, because its entries may seem to be in another table. A fix is applied as a whole or not at all, and not if
/// it touches an earlier fix. So another round may find more to fix. The text between the edits stays.
pub fn apply(findings: &[Diagnostic], sources: &Sources) -> Fixed {
    let turn = |finding: &Diagnostic| match finding.rule {
        rule if rule == rules::syntax::RULE.id => 0,
        rule if rule == rules::unknown_rule::RULE.id => 1,
        rule if NEEDLESS.contains(&rule) => 3,
        _ => 2,
    };
    let unsure = findings.iter().any(|finding| match turn(finding) {
        1 => true,
        3 => false,
        _ => finding.severity == Severity::Error,
    });
    let file = |finding: &Diagnostic| match finding.primary.at {
        Location::Span(span) => Some(span.file),
        Location::Pointer(_) => None,
    };
    let unread: HashSet<FileId> = findings.iter().filter(|d| turn(d) == 0).filter_map(file).collect();
    // a comment that allows nothing may be meant for what is found elsewhere in its file, and that be meant to stay
    let named = |finding: &Diagnostic| {
        let useless = finding.rule == rules::useless_allow::RULE.id;
        let rule = finding.message.split('`').nth(1).filter(|_| useless)?;
        Some((file(finding)?, rule.to_owned()))
    };
    let allowed: HashSet<(FileId, String)> = findings.iter().filter_map(named).collect();
    let found: HashSet<(FileId, &str)> =
        findings.iter().filter(|_| !allowed.is_empty()).filter_map(|d| Some((file(d)?, d.rule))).collect();
    let misplaced = |finding: &Diagnostic| match (named(finding), file(finding)) {
        (Some((file, rule)), _) => found.contains(&(file, rule.as_str())),
        (None, Some(file)) => !allowed.is_empty() && allowed.contains(&(file, finding.rule.to_owned())),
        (None, None) => false,
    };
    let fixable = |finding: &&Diagnostic| match turn(finding) {
        _ if finding.fix.is_empty() => false,
        0 => true,
        3 if unsure || misplaced(finding) => false,
        _ => !finding.fix.iter().any(|edit| unread.contains(&edit.span.file)),
    };
    let Some(first) = findings.iter().filter(fixable).map(turn).min() else { return Fixed::default() };
    let now = findings.iter().enumerate().filter(|(_, finding)| fixable(finding) && turn(finding) == first);
    make(now, sources)
}

/// Applies the fixes of these findings only.
pub(crate) fn make<'d>(
    findings: impl IntoIterator<Item = (usize, &'d Diagnostic)>,
    sources: &Sources,
) -> Fixed {
    let mut accepted: BTreeMap<FileId, BTreeMap<u32, &Edit>> = BTreeMap::new();
    let mut fixed = Fixed::default();
    for (i, finding) in findings {
        let mut new: Vec<&Edit> = Vec::new();
        let fits = finding.fix.iter().all(|edit| {
            if !is_sound(edit, sources) || new.iter().any(|other| touch(other, edit)) {
                return false;
            }
            let near = accepted.get(&edit.span.file).and_then(|edits| neighbour(edits, edit));
            if near != Some(edit) {
                if near.is_some() {
                    return false;
                }
                new.push(edit);
            }
            true
        });
        if fits && !finding.fix.is_empty() {
            for edit in new {
                accepted.entry(edit.span.file).or_default().insert(edit.span.start, edit);
            }
            fixed.findings.push(i);
        }
    }
    for (file, edits) in accepted {
        let Some(source) = sources.get(file) else { continue };
        let mut text = String::with_capacity(source.text.len() + 64);
        let mut done = 0;
        for edit in edits.values() {
            text += &source.text[done..edit.span.start as usize];
            text += &edit.replacement;
            done = edit.span.end as usize;
        }
        text += &source.text[done..];
        fixed.files.push((file, text));
    }
    fixed
}

/// Whether the edit is inside an existing file, and changes something.
fn is_sound(edit: &Edit, sources: &Sources) -> bool {
    let text = sources.get(edit.span.file).and_then(|source| source.text.get(edit.span.range()));
    text.is_some_and(|text| text != edit.replacement)
}

/// Whether two edits exclude each other: they share bytes, or begin at the same place.
fn touch(a: &Edit, b: &Edit) -> bool {
    let (a, b) = (a.span, b.span);
    a.file == b.file && (a.start == b.start || (a.start < b.end && b.start < a.end))
}

/// An accepted edit that touches this one; accepted edits never touch each other.
fn neighbour<'e>(accepted: &BTreeMap<u32, &'e Edit>, edit: &Edit) -> Option<&'e Edit> {
    let before = accepted.range(..=edit.span.start).next_back();
    let after = accepted.range(edit.span.start..).next();
    before.into_iter().chain(after).map(|(_, other)| *other).find(|other| touch(other, edit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Source, Span};

    fn fixed(text: &str, fixes: &[&[(usize, usize, &str)]]) -> (String, Vec<usize>) {
        let mut sources = Sources::new();
        let file = sources.add(Source::new("a", text));
        let findings: Vec<Diagnostic> = fixes
            .iter()
            .map(|edits| {
                let finding = Diagnostic::error("x", Span::new(file, 0, 0), "m");
                edits.iter().fold(finding, |f, (a, b, new)| f.edit(Span::new(file, *a, *b), *new))
            })
            .collect();
        let fixed = apply(&findings, &sources);
        (fixed.files.first().map_or(text.to_owned(), |(_, text)| text.clone()), fixed.findings)
    }

    #[test]
    fn edits_are_made_in_any_order() {
        assert_eq!(fixed("abcdef", &[&[(4, 5, "E")], &[(0, 1, "AA")]]), ("AAbcdEf".into(), vec![0, 1]));
        assert_eq!(fixed("abc", &[&[(3, 3, "d")], &[(0, 0, "_")]]), ("_abcd".into(), vec![0, 1]));
    }

    #[test]
    fn a_fix_is_made_whole_or_not_at_all() {
        assert_eq!(fixed("abcdef", &[&[(0, 3, "X")], &[(2, 4, "Y"), (5, 6, "Z")]]), ("Xdef".into(), vec![0]));
        assert_eq!(fixed("abc", &[&[(0, 2, "X"), (1, 3, "Y")]]), ("abc".into(), vec![]));
        assert_eq!(fixed("abc", &[&[(1, 1, "X")], &[(1, 1, "Y")]]), ("aXbc".into(), vec![0]));
    }

    #[test]
    fn the_same_edit_twice_is_made_once() {
        assert_eq!(fixed("abc", &[&[(0, 1, "X")], &[(0, 1, "X")]]), ("Xbc".into(), vec![0, 1]));
    }

    #[test]
    fn unsound_edits_are_left_out() {
        assert_eq!(fixed("é", &[&[(1, 2, "X")], &[(0, 9, "X")], &[(0, 2, "é")], &[]]), ("é".into(), vec![]));
        let edit = Diagnostic::error("x", Span::default(), "m").edit(Span::default(), "X");
        assert_eq!(apply(&[edit], &Sources::new()), Fixed::default());
    }
}
