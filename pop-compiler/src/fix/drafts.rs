//! From drafts of rules (a name inside a place, an entry to remove) to edits of the text. Rules have no texts, so they
//! leave drafts. With the texts, each draft becomes edits or, if that is uncertain, nothing.

use std::collections::{HashMap, HashSet};

use super::reparse::Reparser;
use super::{entry, verify};
use crate::diagnostic::{Diagnostic, Draft, Edit};
use crate::rules;
use crate::source::{FileId, Sources, Span};

/// Most drafts in one round; a file with more faults needs several rounds.
const MAX_DRAFTS: usize = 1_000;

/// Largest text with fixes, in bytes: tokens take a multiple of a text's size.
const MAX_TEXT: usize = 8 << 20;

/// Most names that are searched in the texts.
const MAX_NAMES: usize = 50;

/// Most entries that are removed in one round; each may cost time in proportion to the file.
const MAX_DROPS: usize = 100;

/// Adds the edits of drafts to findings, if they are certain. An edit that would cause a new fault is removed,
/// including edits of the parsers.
pub(crate) fn complete(out: &mut [Diagnostic], sources: &Sources) {
    if out.is_empty() {
        return;
    }
    let reparser = Reparser::new();
    withhold_doubtful(out, sources);
    edits(out, sources);
    verify::all(out, sources, &reparser);
}

/// Rules about names that a file defines.
pub(super) const OF_NAMES: [&str; 7] = [
    rules::extra_input::RULE.id,
    rules::unknown_field::RULE.id,
    rules::unknown_input::RULE.id,
    rules::unknown_operation::RULE.id,
    rules::unknown_operation_type::RULE.id,
    rules::unknown_output::RULE.id,
    rules::unknown_type::RULE.id,
];

/// Withholds fixes where several places agree on an unknown name: the definition may be the misspelt one.
fn withhold_doubtful(out: &mut [Diagnostic], sources: &Sources) {
    let names = |finding: &Diagnostic| match finding.drafts.as_slice() {
        [Draft::Rename { old, new, .. }] if OF_NAMES.contains(&finding.rule) => {
            Some((old.clone(), new.clone()))
        }
        _ => None,
    };
    let mut times: HashMap<(String, String), usize> = HashMap::new();
    for pair in out.iter().take(MAX_DRAFTS).filter_map(names) {
        *times.entry(pair).or_default() += 1;
    }
    times.retain(|_, n| *n > 1);
    let doubtful: HashSet<(String, String)> = times
        .into_keys()
        .take(MAX_NAMES)
        .filter(|(_, new)| !["inputs", "each"].contains(&new.as_str()))
        .filter(|(_, new)| {
            let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
            let whole = |text: &str, at: usize| {
                !text[..at].ends_with(part) && !text[at + new.len()..].starts_with(part)
            };
            let count =
                |text: &str| text.match_indices(new.as_str()).filter(|(at, _)| whole(text, *at)).count();
            sources.iter().map(|(_, source)| count(&source.text)).sum::<usize>() < 2
        })
        .collect();
    for finding in out.iter_mut().filter(|finding| !finding.drafts.is_empty()) {
        if names(finding).is_some_and(|pair| doubtful.contains(&pair)) {
            finding.drafts.clear();
        }
    }
}

/// Turns the drafts of findings into edits. If one draft of a finding fails, the finding gets no fix at all.
fn edits(out: &mut [Diagnostic], sources: &Sources) {
    let mut drops = 0;
    let mut files: HashMap<FileId, Option<entry::Lexed<'_>>> = HashMap::new();
    for finding in out.iter_mut().filter(|finding| !finding.drafts.is_empty()).take(MAX_DRAFTS) {
        for draft in std::mem::take(&mut finding.drafts) {
            let span = draft.span();
            if sources.get(span.file).is_some_and(|source| source.text.len() > MAX_TEXT) {
                finding.fix.clear();
                break;
            }
            let text = files.entry(span.file).or_insert_with(|| {
                let source = sources.get(span.file)?;
                Some(entry::Lexed::new(&source.text, source.format()?))
            });
            drops += usize::from(matches!(draft, Draft::Drop { .. } | Draft::DropTwin { .. }));
            let edits = match (&draft, text) {
                (_, Some(_)) if drops > MAX_DROPS => None,
                (Draft::Rename { old, new, .. }, text) => place_of(sources.text(span), old, new)
                    .filter(|_| text.as_ref().is_none_or(|text| !text.has_beside(span, new)))
                    .map(|(start, end)| {
                        let (start, end) = (span.start as usize + start, span.start as usize + end);
                        vec![Edit { span: Span::new(span.file, start, end), replacement: new.clone() }]
                    }),
                (Draft::AllItems { name, .. }, _) => all_items(sources.text(span), name).map(|(at, new)| {
                    let at = span.start as usize + at;
                    vec![Edit { span: Span::new(span.file, at, at), replacement: new.to_owned() }]
                }),
                (Draft::Drop { .. }, Some(text)) => text.drop(span),
                (Draft::DropTwin { first, .. }, Some(text)) => text.drop_twin(span, *first),
                (Draft::Add { key, value, .. }, Some(text)) => text.add(span, key, value),
                (_, None) => None,
            };
            let Some(edits) = edits else {
                finding.fix.clear();
                break;
            };
            finding.fix.extend(edits);
        }
    }
}

/// Place of `old` in `text`, if `new` can be written there unchanged.
fn place_of(text: &str, old: &str, new: &str) -> Option<(usize, usize)> {
    let bare =
        |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    let plain = !new.contains(['"', '\'', '\\']) && !new.chars().any(char::is_control);
    let inside = |open: &str, close: &str| {
        let inner = text.strip_prefix(open)?.strip_suffix(close)?;
        (inner == old && plain).then_some((open.len(), open.len() + old.len()))
    };
    if text == old {
        let fits = bare(new) || plain && !old.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        return fits.then_some((0, old.len()));
    }
    if let Some(rest) = text.strip_prefix("@<") {
        let fits = plain && !new.contains(['>', '?']) && !new.contains("::");
        let after = rest.strip_prefix(old)?;
        let ends = after.starts_with(['>', '?', '.']) || after.starts_with("::");
        return (fits && ends).then_some((2, 2 + old.len()));
    }
    [("\"", "\""), ("'", "'"), ("['", "']"), ("[\"", "\"]"), ("\"\"\"", "\"\"\""), ("'''", "'''")]
        .into_iter()
        .find_map(|(open, close)| inside(open, close))
}

/// The text that turns the name of a fan-out into all its items, and its place in `text`.
fn all_items(text: &str, name: &str) -> Option<(usize, &'static str)> {
    match text.strip_prefix(name) {
        Some("") => Some((text.len(), "[*]")),
        Some(".out") => Some((name.len(), ".*")),
        _ => text.starts_with('[').then_some((text.len(), "[*]")),
    }
}

#[cfg(test)]
mod tests {
    use super::{all_items, place_of};

    #[test]
    fn all_items_are_written_as_the_reference_is() {
        assert_eq!(all_items("encode", "encode"), Some((6, "[*]")));
        assert_eq!(all_items("['en code']", "en code"), Some((11, "[*]")));
        assert_eq!(all_items("encode.out", "encode"), Some((6, ".*")));
        assert_eq!(all_items("something", "encode"), None);
    }

    #[test]
    fn names_are_replaced_where_they_stand_and_nowhere_else() {
        for (text, old, new, place) in [
            ("prbe", "prbe", "probe", Some((0, 4))),
            ("prbe", "prbe", "a b", None),
            ("media.prob", "media.prob", "media.probe", Some((0, 10))),
            ("\"prbe\"", "prbe", "a b", Some((1, 5))),
            ("\"prbe\"", "prbe", "a\"b", None),
            ("['prbe']", "prbe", "probe", Some((2, 6))),
            ("@<prbe.out::/a>", "prbe", "probe", Some((2, 6))),
            ("@<prbe.out::/a>", "prb", "probe", None),
            ("@<prbe.out>", "prbe", "a>b", None),
            ("\"pr\\u0062e\"", "prbe", "probe", None),
        ] {
            assert_eq!(place_of(text, old, new), place, "{text}");
        }
    }
}
