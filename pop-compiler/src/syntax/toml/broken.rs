//! TOML that the parser does not take: what is wrong in which line, and the tree of the text as it would be if all that
//! has an obvious change were mended. So a fault hides nothing else.

use std::borrow::Cow;
use std::ops::Range;

use toml_parser::parser::{ValidateWhitespace, parse_document};
use toml_parser::{Expected, ParseError, Source};

use super::nesting::Nesting;
use super::repair::{Reads, Repair, Repairer};
use super::{MAX_ERRORS, Receiver, missing};
use crate::diagnostic::{Diagnostic, Draft, Edit, Location};
use crate::source::{FileId, Span};
use crate::syntax::rules;
use crate::tree::{Node, Tree};

/// What to replace with what, by place.
type Changes = Vec<(Range<usize>, String)>;

/// Bytes that may be read again to find changes that help.
const MOST_READ: usize = 10 << 20;

/// The tree of a text with syntax errors, and all that is wrong with it.
pub(super) fn read(file: FileId, text: &str, out: &mut Vec<Diagnostic>) -> Tree {
    if let Some((at, message)) = foreign(text) {
        let end = at + text[at..].chars().next().map_or(0, char::len_utf8);
        out.push(rules::syntax::report(Span::new(file, at, end), message, "here"));
        return Tree { node: Node::Error, span: Span::new(file, 0, text.len()) };
    }
    let mut findings = Vec::new();
    let repaired = missing::repair(text, &count);
    let first = changes_of(&repaired);
    for missing::Missing { at, insert, cut, opened } in repaired {
        let (place, open) = (Span::new(file, at, at + cut), Span::new(file, opened, opened + 1));
        let wanted = insert.trim();
        let (message, label) = if cut > 0 {
            (format!("wrong bracket: expected `{wanted}`"), "wrong bracket")
        } else {
            (format!("missing `{wanted}`"), "still open here")
        };
        let finding = rules::syntax::report(place, &message, label);
        findings.push(finding.also(open, "opened here").edit(place, insert).read_on());
    }
    let closed = changed(text, &first);
    let back = Back::new(text, &first);
    let mut errors = parse(file, &closed).syntax;
    // Of one line the first syntax error counts: the others are mostly its consequences.
    errors.sort_by(|a, b| a.primary.at.cmp(&b.primary.at));
    let line = |d: &Diagnostic| match d.primary.at {
        Location::Span(span) => closed[..span.range().start.min(closed.len())].rfind('\n'),
        Location::Pointer(_) => None,
    };
    let mut told = None;
    errors.retain(|d| told.replace(line(d)) != Some(line(d)));
    errors.truncate(MAX_ERRORS);
    let (mut mended, mut helped): (Changes, Vec<usize>) = Default::default();
    let mut repairer = Repairer::new(&closed, &Reader, MOST_READ / (closed.len() + 1));
    for (i, finding) in errors.iter_mut().enumerate() {
        if let Location::Span(span) = finding.primary.at
            && let Some(Repair { change, certain }) = repairer.change(span.range().start)
        {
            finding.read = true;
            let edit = |(range, new): &(Range<usize>, String)| Edit {
                span: Span::new(file, range.start, range.end),
                replacement: new.clone(),
            };
            if certain {
                finding.fix = change.iter().map(edit).collect();
            }
            mended.extend(change);
            helped.push(i);
        }
    }
    mended.sort_by_key(|(range, _)| (range.start, range.end));
    let fine = changed(&closed, &mended);
    let last = Back::new(&closed, &mended);
    let Parsed { mut tree, syntax: left, mut of_tables } = parse(file, &fine);
    // what is still wrong with a line keeps some of it from being read
    let broken: Vec<Option<usize>> = left
        .into_iter()
        .map(|mut finding| {
            relocate(&mut finding, &|at| last.place(at));
            line(&finding)
        })
        .collect();
    for i in helped {
        errors[i].read &= !broken.contains(&line(&errors[i]));
    }
    if !broken.is_empty() {
        // what is left may be the true fault, of which the others are consequences
        findings.iter_mut().chain(&mut errors).for_each(|finding| finding.fix.clear());
    }
    // keys below a line that may have been a header would have belonged to another table
    let misplaced: Vec<Range<usize>> =
        errors.iter().filter(|finding| !finding.read).filter_map(|finding| below(&closed, finding)).collect();
    of_tables.retain(|finding| match finding.primary.at {
        Location::Span(span) => {
            let at = last.place(span.start) as usize;
            !misplaced.iter().any(|range| range.contains(&at))
        }
        Location::Pointer(_) => true,
    });
    tree.relocate(&|at| back.place(last.place(at)));
    for finding in &mut of_tables {
        relocate(finding, &|at| back.place(last.place(at)));
    }
    for finding in &mut errors {
        relocate(finding, &|at| back.place(at));
    }
    findings.append(&mut errors);
    findings.append(&mut of_tables);
    findings.sort_by(|a, b| a.primary.at.cmp(&b.primary.at));
    findings.truncate(MAX_ERRORS);
    out.append(&mut findings);
    tree
}

/// The lines below one that assigns nothing, up to the next header.
fn below(text: &str, finding: &Diagnostic) -> Option<Range<usize>> {
    let Location::Span(span) = finding.primary.at else { return None };
    let at = text.floor_char_boundary(span.range().start);
    let start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let end = text[start..].find('\n').map_or(text.len(), |n| start + n);
    let header = text[end..].find("\n[").map_or(text.len(), |n| end + n);
    (!text[start..end].contains('=')).then_some(end..header)
}

fn changes_of(repaired: &[missing::Missing]) -> Changes {
    repaired.iter().map(|missing| (missing.at..missing.at + missing.cut, missing.insert.clone())).collect()
}

fn relocate(finding: &mut Diagnostic, to: &dyn Fn(u32) -> u32) {
    for label in std::iter::once(&mut finding.primary).chain(&mut finding.secondary) {
        if let Location::Span(span) = &mut label.at {
            span.relocate(to);
        }
    }
    finding.fix.iter_mut().for_each(|edit| edit.span.relocate(to));
    finding.drafts.iter_mut().flat_map(Draft::spans_mut).for_each(|span| span.relocate(to));
}

/// What came of a text.
struct Parsed {
    tree: Tree,
    /// What the parser said, and what is no value.
    syntax: Vec<Diagnostic>,
    /// What is wrong with tables and keys.
    of_tables: Vec<Diagnostic>,
}

fn parse(file: FileId, text: &str) -> Parsed {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut receiver = Receiver::new(file, source, text.len());
    let mut errors: Vec<ParseError> = Vec::new();
    {
        let mut whitespace = ValidateWhitespace::new(&mut receiver, source);
        let mut guard = Nesting::new(&mut whitespace);
        parse_document(&tokens, &mut guard, &mut |error: ParseError| {
            if errors.len() < MAX_ERRORS {
                errors.push(error);
            }
        });
    }
    let mut syntax: Vec<Diagnostic> = errors.iter().map(|e| explain(file, text, e)).collect();
    syntax.append(&mut receiver.findings);
    let of_tables = std::mem::take(&mut receiver.document.findings);
    Parsed { tree: receiver.document.finish(), syntax, of_tables }
}

/// Reads changed texts for the repairer.
struct Reader;

impl Reads for Reader {
    fn errors(&self, text: &str) -> usize {
        count(text)
    }

    fn says(&self, text: &str) -> serde_json::Value {
        parse(FileId(0), text).tree.to_json()
    }
}

/// How many errors a text has.
fn count(text: &str) -> usize {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut receiver = Receiver::new(FileId(0), source, text.len());
    let mut errors = 0;
    {
        let mut whitespace = ValidateWhitespace::new(&mut receiver, source);
        let mut guard = Nesting::new(&mut whitespace);
        parse_document(&tokens, &mut guard, &mut |_: ParseError| errors += 1);
    }
    errors + receiver.findings.len()
}

fn changed(text: &str, changes: &Changes) -> String {
    let mut new = String::with_capacity(text.len() + 16);
    let mut at = 0;
    for (range, replacement) in changes {
        new.push_str(&text[at..range.start]);
        new.push_str(replacement);
        at = range.end;
    }
    new.push_str(&text[at..]);
    new
}

/// The way from places in a changed text back to those in the text as it was.
struct Back<'t> {
    text: &'t str,
    /// Of each change the place in the new text, and in the old one.
    changes: Vec<(Range<usize>, Range<usize>)>,
}

impl<'t> Back<'t> {
    fn new(text: &'t str, changes: &Changes) -> Self {
        let (mut found, mut longer) = (Vec::new(), 0isize);
        let mut add = |old: Range<usize>, new: usize| {
            let start = old.start.saturating_add_signed(longer);
            longer += new.cast_signed() - old.len().cast_signed();
            found.push((start..start + new, old));
        };
        for (range, new) in changes {
            // what is put in quotes stays where it is
            let inner = new.trim_matches(['"', '\'']);
            match text[range.clone()].find(inner).filter(|_| !inner.is_empty()) {
                Some(at) => {
                    let before = new.find(inner).unwrap_or_default();
                    let start = range.start + at;
                    add(range.start..start, before);
                    add(start + inner.len()..range.end, new.len() - before - inner.len());
                }
                None => add(range.clone(), new.len()),
            }
        }
        Self { text, changes: found }
    }

    fn place(&self, at: u32) -> u32 {
        let at = at as usize;
        let before = self.changes.partition_point(|(new, _)| new.start <= at);
        let old = match before.checked_sub(1).map(|i| &self.changes[i]) {
            None => at,
            Some((new, old)) if at < new.end => old.start + (at - new.start).min(old.len()),
            Some((new, old)) => old.end + (at - new.end),
        };
        u32::try_from(self.text.floor_char_boundary(old)).unwrap_or(u32::MAX)
    }
}

/// A text in another language: where it begins, and what it is.
fn foreign(text: &str) -> Option<(usize, &'static str)> {
    let text_of = text.trim_start_matches('\u{feff}');
    let mut lines = text_of.lines().map(str::trim_end).filter(|line| !line.trim_start().is_empty());
    let mut code = lines.by_ref().filter(|line| !line.trim_start().starts_with('#'));
    let first = code.next()?;
    let at = (first.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    let at = at + first.len() - first.trim_start().len();
    if first.trim_start().starts_with('{') {
        return Some((at, "expected TOML, found JSON. Let the file name end in `.json`"));
    }
    const YAML: &str =
        "expected TOML, found YAML. Write TOML, or write JSON in a file whose name ends in `.json`";
    if first.starts_with("---") {
        return Some((at, YAML));
    }
    let word = |line: &str| {
        line.find(|c: char| !(c.is_alphanumeric() || "_-.\"' ".contains(c))).unwrap_or(line.len())
    };
    let (mut yaml, mut all) = (0, 0);
    for line in std::iter::once(first).chain(code).take(1_000) {
        let line = line.trim_start();
        let rest = &line[word(line)..];
        if line.starts_with('[') || rest.starts_with('=') {
            return None;
        }
        let key = rest.strip_prefix(':').is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
        yaml += usize::from(key || line.starts_with("- "));
        all += 1;
    }
    (yaml > 1 && yaml * 2 > all).then_some((at, YAML))
}

/// A parse error in our words.
fn explain(file: FileId, text: &str, error: &ParseError) -> Diagnostic {
    let at = error.unexpected().or(error.context()).unwrap_or_default();
    let mut span = Span::new(file, at.start(), at.end());
    let rest = &text[text.floor_char_boundary(at.start())..];
    let word = &rest[..rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len())];
    if ["null", "none", "nil", "undefined"].contains(&word.to_lowercase().as_str()) {
        let message = format!("invalid value `{word}`: TOML has no null");
        let finding = rules::syntax::report(span, &message, "not a value");
        return finding.help("leave the key out: an absent key is null").read_on();
    }
    let message = match error.description() {
        super::TOO_DEEP => return rules::syntax::too_deep(span),
        "key with no value" | "missing value for key" => "missing value of a key",
        "string values must be quoted" | "invalid float" | "invalid boolean"
            if word.starts_with(char::is_alphabetic) || !rest.starts_with(|c: char| c.is_ascii()) =>
        {
            "invalid value: text needs quotes"
        }
        "string values must be quoted" => "invalid value: text needs quotes",
        "unexpected content" if rest.starts_with('=') => "unexpected `=`",
        other => other,
    };
    if message == "missing value of a key" {
        // point at the key, not at the newline after it
        let before = text[..at.start().min(text.len())].trim_end_matches([' ', '\t']);
        let start = before.rfind('\n').map_or(0, |n| n + 1);
        let indent = before[start..].len() - before[start..].trim_start().len();
        span = Span::new(file, start + indent, before.len());
    }
    let label = match error.expected() {
        Some(expected) if !expected.is_empty() => {
            let words: Vec<Cow<'_, str>> = expected
                .iter()
                .filter_map(|e| match e {
                    Expected::Literal("\n") => Some("a newline".into()),
                    Expected::Literal(text) => Some(format!("`{text}`").into()),
                    Expected::Description(text) => Some((*text).into()),
                    _ => None,
                })
                .collect();
            format!("expected {}", words.join(" or "))
        }
        _ => "here".to_owned(),
    };
    rules::syntax::report(span, message, &label)
}
