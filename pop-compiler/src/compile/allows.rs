//! `# pop: allow(rule) reason`: comments that take findings back.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::diagnostic::{Diagnostic, Location};
use crate::rules;
use crate::source::{FileId, Format, Sources, Span, Spanned};
use crate::syntax;

/// A rule and the file of its findings.
type Of = (&'static str, FileId);

/// One rule of one comment.
struct Allow {
    rule: &'static str,
    file: FileId,
    /// Name of the rule in the comment.
    span: Span,
    above: Vec<Range<usize>>,
    /// Text to remove with the rule.
    cut: Span,
    used: bool,
}

/// Takes back the findings that comments allow, in every file, and reports the faults of the comments.
pub(super) fn apply(out: &mut Vec<Diagnostic>, sources: &Sources) {
    let mut allows = Vec::new();
    let mut seen = HashSet::new();
    for (file, source) in sources.iter() {
        if seen.insert(&source.name)
            && source.text.contains("pop:")
            && let Some(format) = source.format()
        {
            read(file, &source.text, format, &mut allows, out);
        }
    }
    if allows.is_empty() {
        return;
    }
    let mut found: HashMap<Of, Vec<usize>> = HashMap::new();
    let mut allowed: HashMap<Of, Vec<Range<usize>>> = HashMap::new();
    for allow in &allows {
        allowed.entry((allow.rule, allow.file)).or_default().extend(allow.above.iter().cloned());
    }
    allowed.values_mut().for_each(joined);
    let mut counted = HashSet::new();
    out.retain(|finding| {
        let Location::Span(at) = &finding.primary.at else { return true };
        let (of, start) = ((finding.rule, at.file), at.start as usize);
        let Some(ranges) = allowed.get(&of) else { return true };
        let end = if finding.is_count() {
            counted.insert(finding.rule);
            at.end as usize
        } else {
            found.entry(of).or_default().push(start);
            start
        };
        !ranges[..ranges.partition_point(|range| range.start <= start)]
            .last()
            .is_some_and(|range| range.contains(&start) && range.contains(&end))
    });
    for starts in found.values_mut() {
        starts.sort_unstable();
    }
    for allow in &mut allows {
        let starts = found.get(&(allow.rule, allow.file)).map_or(&[][..], Vec::as_slice);
        let holds = |range: &Range<usize>| {
            starts.get(starts.partition_point(|at| *at < range.start)).is_some_and(|at| range.contains(at))
        };
        // among those that are only counted, one may be allowed
        allow.used = counted.contains(allow.rule) || allow.above.iter().any(holds);
    }
    for allow in allows.iter().filter(|allow| !allow.used) {
        out.push(rules::useless_allow::report(allow.rule, allow.span, allow.cut));
    }
}

/// Sorts ranges, and joins overlapping ones.
fn joined(ranges: &mut Vec<Range<usize>>) {
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|later, range| {
        let overlap = later.start <= range.end;
        if overlap {
            range.end = range.end.max(later.end);
        }
        overlap
    });
}

fn read(file: FileId, text: &str, format: Format, allows: &mut Vec<Allow>, out: &mut Vec<Diagnostic>) {
    for comment in syntax::comments(text, format, "pop:") {
        let Some((list, reason)) = parts(&text[comment.range.clone()]) else { continue };
        // both are slices of the text, so their addresses say where they stand
        let at = |part: &str| (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        let names: Vec<&str> = list.split(',').map(str::trim).collect();
        let line_start = text[..comment.range.start].rfind('\n').map_or(0, |n| n + 1);
        let line_end = text[comment.range.end..].find('\n').map_or(text.len(), |n| comment.range.end + n + 1);
        let mut allowed = false;
        for (i, name) in names.iter().enumerate() {
            let span = Span::new(file, at(name), at(name) + name.len());
            let Some(rule) = rules::find(name) else {
                out.push(rules::unknown_rule::report(&Spanned::new((*name).to_owned(), span)));
                continue;
            };
            // the whole comment, or this rule and the comma beside it
            let cut = match i {
                _ if names.len() == 1 => Span::new(file, line_start, line_end),
                0 => Span::new(file, at(name), at(names[1])),
                _ => Span::new(file, at(names[i - 1]) + names[i - 1].len(), at(name) + name.len()),
            };
            if !rule.allowable {
                out.push(rules::allow_not_possible::report(rule, span).edit(cut, ""));
                continue;
            }
            allowed = true;
            allows.push(Allow { rule: rule.id, file, span, above: comment.above.clone(), cut, used: false });
        }
        if allowed && reason.is_empty() {
            let span = Span::new(file, comment.range.start, comment.range.end);
            out.push(rules::allow_without_reason::report(span));
        }
    }
}

/// The rules and the reason of an allow comment.
fn parts(comment: &str) -> Option<(&str, &str)> {
    let body = comment.trim_start_matches(['#', '/', '*']).trim_start();
    let rest =
        body.strip_prefix("pop:")?.trim_start().strip_prefix("allow")?.trim_start().strip_prefix('(')?;
    let (list, reason) = rest.split_once(')').unwrap_or((rest, ""));
    let marks = |c: char| c.is_whitespace() || matches!(c, ':' | '-' | '–' | '—' | '*' | '/' | '.');
    Some((list, reason.trim_matches(marks)))
}
