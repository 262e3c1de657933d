//! `# pop: allow(rule) reason`: findings that a comment takes back.

use std::collections::HashSet;
use std::ops::Range;

use crate::diagnostic::{Diagnostic, Location};
use crate::rules;
use crate::source::{FileId, Sources, Span, Spanned};
use crate::syntax::{self, Door};

/// One rule of one comment.
struct Allow {
    rule: &'static str,
    file: FileId,
    /// The rule's name in the comment.
    span: Span,
    above: Vec<Range<usize>>,
    /// The comment's line, when this rule is all it names.
    line: Option<Span>,
    used: bool,
}

/// Takes back what comments allow, in every file, and says what is wrong with the comments.
pub(super) fn apply(out: &mut Vec<Diagnostic>, sources: &Sources) {
    let mut allows = Vec::new();
    let mut seen = HashSet::new();
    for (file, source) in sources.iter() {
        if seen.insert(&source.name)
            && source.text.contains("pop:")
            && let Some(door) = Door::from_path(&source.name)
        {
            read(file, &source.text, door, &mut allows, out);
        }
    }
    if allows.is_empty() {
        return;
    }
    out.retain(|finding| {
        let Location::Span(at) = &finding.primary.at else { return true };
        let mut kept = true;
        for allow in &mut allows {
            if allow.rule == finding.rule
                && allow.file == at.file
                && allow.above.iter().any(|range| range.contains(&(at.start as usize)))
            {
                allow.used = true;
                kept = false;
            }
        }
        kept
    });
    for allow in allows.iter().filter(|allow| !allow.used) {
        out.push(rules::useless_allow::report(allow.rule, allow.span, allow.line));
    }
}

fn read(file: FileId, text: &str, door: Door, allows: &mut Vec<Allow>, out: &mut Vec<Diagnostic>) {
    for comment in syntax::comments(text, door, "pop:") {
        let Some((list, reason)) = parts(&text[comment.range.clone()]) else { continue };
        // both are slices of the text, so their addresses say where they stand
        let at = |part: &str| (part.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        let names: Vec<&str> = list.split(',').map(str::trim).collect();
        let line_start = text[..comment.range.start].rfind('\n').map_or(0, |n| n + 1);
        let line_end = text[comment.range.end..].find('\n').map_or(text.len(), |n| comment.range.end + n + 1);
        let mut allowed = false;
        for name in &names {
            let span = Span::new(file, at(name), at(name) + name.len());
            let Some(rule) = rules::find(name) else {
                out.push(rules::unknown_rule::report(&Spanned::new((*name).to_owned(), span)));
                continue;
            };
            if !rule.can_be_allowed() {
                out.push(rules::allow_not_possible::report(rule, span));
                continue;
            }
            allowed = true;
            allows.push(Allow {
                rule: rule.id,
                file,
                span,
                above: comment.above.clone(),
                line: (names.len() == 1).then(|| Span::new(file, line_start, line_end)),
                used: false,
            });
        }
        if allowed && reason.is_empty() {
            let span = Span::new(file, comment.range.start, comment.range.end);
            out.push(rules::allow_without_reason::report(span));
        }
    }
}

/// The rules and the reason of a comment that allows something.
fn parts(comment: &str) -> Option<(&str, &str)> {
    let body = comment.trim_start_matches(['#', '/', '*']).trim_start();
    let rest =
        body.strip_prefix("pop:")?.trim_start().strip_prefix("allow")?.trim_start().strip_prefix('(')?;
    let (list, reason) = rest.split_once(')').unwrap_or((rest, ""));
    let marks = |c: char| c.is_whitespace() || matches!(c, ':' | '-' | '–' | '—' | '*' | '/' | '.');
    Some((list, reason.trim_matches(marks)))
}
