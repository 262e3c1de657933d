//! The budget of findings: a file with very many findings shows the first ones, and counts the others.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Location, Rule, Severity};
use crate::source::{FileId, Span};

/// Reports the number of findings that are not shown.
pub(crate) const MORE_FINDINGS: Rule = Rule {
    id: "more-findings",
    severity: Severity::Info,
    summary: "more findings than a report shows",
    explanation: "A report shows only the first findings, errors before warnings, and counts the rest. Fix the first ones, and check again.",
    bad: "",
    good: "",
    absence: false,
    allowable: true,
};

/// Findings that one compilation shows. Beyond this number errors come first, and the rest is counted.
const MAX_SHOWN: usize = 10_000;

/// Findings kept during a check. Comments may take findings back, so the number is higher than [`MAX_SHOWN`].
const MAX_KEPT: usize = 40_000;

/// Keeps the findings within the budget, the worst and the first ones. Every pass calls this function where one file
/// can give findings without end. The other findings are counted for each rule, and a comment can take back only all of
/// them.
pub(crate) fn enforce(out: &mut Vec<Diagnostic>) {
    if out.len() >= 2 * MAX_KEPT {
        for (finding, more) in condense(out, MAX_KEPT) {
            out.push(Diagnostic { more, ..finding });
        }
    }
}

/// Whether the budget is spent: further findings are only counted, and need no text.
pub(crate) fn is_spent(out: &[Diagnostic]) -> bool {
    out.len() >= MAX_KEPT
}

/// Counts one more error of a rule.
pub(crate) fn count(out: &mut Vec<Diagnostic>, rule: &Rule, at: Span) {
    let at = Span { end: at.start, ..at };
    out.push(Diagnostic { more: [0, 0, 1], ..Diagnostic::error(rule.id, at, "") });
}

/// Finishes the findings: leaves the shown ones, ordered by place, and adds a finding that counts the others.
pub(crate) fn report(out: &mut Vec<Diagnostic>) {
    if out.len() <= MAX_SHOWN && out.iter().all(|finding| !finding.is_count()) {
        return;
    }
    let rest = condense(out, MAX_SHOWN);
    let mut more = [0; 3];
    for (_, counts) in &rest {
        more.iter_mut().zip(counts).for_each(|(sum, n)| *sum += n);
    }
    out.sort_by(|a, b| (&a.primary.at, a.rule).cmp(&(&b.primary.at, b.rule)));
    let Some(last) = out.last().or(rest.first().map(|(finding, _)| finding)) else { return };
    let finding = MORE_FINDINGS
        .at(last.primary.at.clone(), format!("{} more findings are not shown", more.iter().sum::<usize>()));
    out.push(Diagnostic { more, ..finding });
}

/// Keeps the worst `most` findings, and the first among equals. Returns one finding and the number for each rule and
/// severity of the others.
fn condense(out: &mut Vec<Diagnostic>, most: usize) -> Vec<(Diagnostic, [usize; 3])> {
    let rank = |d: &Diagnostic| (d.is_count(), std::cmp::Reverse(d.severity));
    out.sort_by(|a, b| {
        rank(a).cmp(&rank(b)).then_with(|| (&a.primary.at, a.rule).cmp(&(&b.primary.at, b.rule)))
    });
    // what is said twice is one finding
    out.dedup_by(|a, b| !a.is_count() && a.is_same(b));
    let kept = out.iter().take(most).take_while(|finding| !finding.is_count()).count();
    let mut rest: BTreeMap<(&'static str, Severity, FileId), (Diagnostic, [usize; 3])> = BTreeMap::new();
    for finding in out.drain(kept..) {
        let counts = finding.counts();
        // one finding is where it begins, many are between the first and the last of them
        let at = match finding.primary.at {
            Location::Span(span) if finding.is_count() => span,
            Location::Span(span) => Span { end: span.start, ..span },
            Location::Pointer(_) => Span::default(),
        };
        let (all, sum) = rest
            .entry((finding.rule, finding.severity, at.file))
            .or_insert_with(|| (Diagnostic::new(finding.rule, finding.severity, at, ""), [0; 3]));
        if let Location::Span(span) = all.primary.at {
            all.primary.at = Location::Span(span.to(at));
        }
        sum.iter_mut().zip(counts).for_each(|(sum, n)| *sum += n);
    }
    rest.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Summary;

    fn finding(at: usize, severity: Severity) -> Diagnostic {
        Diagnostic::new("x", severity, Span::new(FileId(0), at, at), format!("{at}"))
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let mut out = Vec::new();
        for at in 0..300_000 {
            out.push(finding(at, if at % 3 == 0 { Severity::Error } else { Severity::Warning }));
            enforce(&mut out);
            assert!(out.len() <= 2 * MAX_KEPT);
        }
        report(&mut out);
        assert_eq!(out.len(), MAX_SHOWN + 1);
        assert_eq!(Summary::of(&out), Summary { errors: 100_000, warnings: 200_000 });
        assert!(out[..MAX_SHOWN].iter().enumerate().all(|(i, d)| d.message == (3 * i).to_string()));
        assert_eq!(out[MAX_SHOWN].message, "290000 more findings are not shown");
        // and once more, with another finding
        out.push(finding(1, Severity::Error));
        report(&mut out);
        assert_eq!(out.len(), MAX_SHOWN + 1);
        assert_eq!(Summary::of(&out), Summary { errors: 100_001, warnings: 200_000 });
    }

    #[test]
    fn a_thousand_findings_are_as_they_were() {
        let mut out: Vec<_> = (0..1000).rev().map(|at| finding(at, Severity::Info)).collect();
        let before = out.clone();
        enforce(&mut out);
        report(&mut out);
        assert_eq!(out, before);
    }
}
