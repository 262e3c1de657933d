//! How many findings are kept: a file without end of them is told the first ones and how many more there are.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Location, Rule, Severity};
use crate::source::{FileId, Span};

/// Says how many findings are not shown.
pub(crate) const MORE_FINDINGS: Rule = Rule {
    id: "more-findings",
    severity: Severity::Info,
    summary: "there are more findings than are shown",
    explanation: "Of very many findings only the first are shown, the errors before the others; the rest is counted. Mend the first ones, and check again.",
    bad: "",
    good: "",
    absence: false,
    allowable: true,
};

/// Findings that are told of one compilation; of more, the errors come first, and the rest is counted.
const MOST_TOLD: usize = 10_000;

/// Findings that are held while a file is checked. More than are told, since comments may take some back.
const MOST_HELD: usize = 40_000;

/// Called where one file can give findings without end. Of too many, the worst and first are held; the others are
/// counted for each rule, and a comment can only take back all of these.
pub(crate) fn hold(out: &mut Vec<Diagnostic>) {
    if out.len() >= 2 * MOST_HELD {
        for (finding, more) in condense(out, MOST_HELD) {
            out.push(Diagnostic { more, ..finding });
        }
    }
}

/// As many findings are held as may be of any use: others need no texts, since they are only counted.
pub(crate) fn is_full(out: &[Diagnostic]) -> bool {
    out.len() >= MOST_HELD
}

/// Counts one more error of a rule.
pub(crate) fn count(out: &mut Vec<Diagnostic>, rule: &Rule, at: Span) {
    let at = Span { end: at.start, ..at };
    out.push(Diagnostic { more: [0, 0, 1], ..Diagnostic::error(rule.id, at, "") });
}

/// At the end: leaves as many findings as anybody can use, by place, and says how many more there are.
pub(crate) fn tell(out: &mut Vec<Diagnostic>) {
    if out.len() <= MOST_TOLD && out.iter().all(|finding| !finding.is_count()) {
        return;
    }
    let rest = condense(out, MOST_TOLD);
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

/// Leaves the worst `most` findings, of equal ones those that come first, and gives one for each rule and severity of the
/// others, with how many they are.
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
    fn what_is_not_told_is_counted() {
        let mut out = Vec::new();
        for at in 0..300_000 {
            out.push(finding(at, if at % 3 == 0 { Severity::Error } else { Severity::Warning }));
            hold(&mut out);
            assert!(out.len() <= 2 * MOST_HELD);
        }
        tell(&mut out);
        assert_eq!(out.len(), MOST_TOLD + 1);
        assert_eq!(Summary::of(&out), Summary { errors: 100_000, warnings: 200_000 });
        assert!(out[..MOST_TOLD].iter().enumerate().all(|(i, d)| d.message == (3 * i).to_string()));
        assert_eq!(out[MOST_TOLD].message, "290000 more findings are not shown");
        // and once more, with another finding
        out.push(finding(1, Severity::Error));
        tell(&mut out);
        assert_eq!(out.len(), MOST_TOLD + 1);
        assert_eq!(Summary::of(&out), Summary { errors: 100_001, warnings: 200_000 });
    }

    #[test]
    fn a_thousand_findings_are_as_they_were() {
        let mut out: Vec<_> = (0..1000).rev().map(|at| finding(at, Severity::Info)).collect();
        let before = out.clone();
        hold(&mut out);
        tell(&mut out);
        assert_eq!(out, before);
    }
}
