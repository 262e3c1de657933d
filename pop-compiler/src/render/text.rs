//! Findings for people, in rustc's manner.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::source::{Source, Sources, Span};

/// Whether to colour the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// Plain text.
    #[default]
    Never,
    /// ANSI colours.
    Always,
}

/// Longest line that is shown, in bytes; of a longer one only the place is printed.
const LONGEST: usize = 32 << 10;

/// Largest distance of two labels in one snippet, in bytes.
const FAR: u32 = 50_000;

/// Lines of context around a label; the renderer does not get the rest of a large file.
const CONTEXT: usize = 2;

/// All findings, each followed by an empty line.
pub fn findings(diagnostics: &[Diagnostic], sources: &Sources, colour: Colour) -> String {
    let renderer = match colour {
        Colour::Never => Renderer::plain(),
        Colour::Always => Renderer::styled(),
    }
    .decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    for diagnostic in diagnostics {
        text += &renderer.render(&report(diagnostic, sources));
        text += "\n\n";
    }
    text
}

/// Most findings in a text for people.
const MOST_SHOWN: usize = 500;

/// As [`findings`], of very many findings only the first, with the number of the others.
pub fn first_findings(diagnostics: &[Diagnostic], sources: &Sources, colour: Colour) -> (String, usize) {
    let shown = &diagnostics[..diagnostics.len().min(MOST_SHOWN)];
    let more = diagnostics[shown.len()..].iter().flat_map(Diagnostic::counts).sum();
    (findings(shown, sources, colour), more)
}

fn report<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()).id(diagnostic.rule));
    let labels: Vec<_> = std::iter::once((&diagnostic.primary, AnnotationKind::Primary))
        .chain(diagnostic.secondary.iter().map(|label| (label, AnnotationKind::Context)))
        .collect();
    let mut done: Vec<usize> = Vec::new();
    for (i, (label, _)) in labels.iter().enumerate() {
        let Location::Span(span) = label.at else {
            if let Location::Pointer(pointer) = &label.at {
                let place = if pointer.is_empty() { "/" } else { pointer.as_str() };
                let text = if label.text.is_empty() {
                    format!("at {place} of the document")
                } else {
                    format!("at {place} of the document: {}", label.text)
                };
                group = group.element(Level::NOTE.message(text));
            }
            continue;
        };
        if done.contains(&i) {
            continue;
        }
        let Some(source) = sources.get(span.file) else { continue };
        // labels near each other share a snippet; a large file between two of them isn't handed to the renderer
        let near = |s: Span| s.file == span.file && s.start.abs_diff(span.start) < FAR;
        let same_file: Vec<usize> = (i..labels.len())
            .filter(|j| matches!(labels[*j].0.at, Location::Span(s) if near(s)) && !done.contains(j))
            .collect();
        let spans: Vec<Span> = same_file
            .iter()
            .filter_map(|j| if let Location::Span(s) = labels[*j].0.at { Some(s) } else { None })
            .collect();
        let Some(window) = window(source, &spans) else {
            group = group.element(origin(source, span));
            if !label.text.is_empty() {
                group = group.element(Level::NOTE.message(label.text.as_str()));
            }
            continue;
        };
        let mut snippet = Snippet::source(&source.text[window.start..window.end])
            .line_start(window.line)
            .path(source.name.as_ref());
        for (j, span) in same_file.iter().zip(&spans) {
            let (label, kind) = labels[*j];
            let range = clip(source, *span, &window);
            let annotation = kind.span(range);
            let text = (!label.text.is_empty()).then_some(label.text.as_str());
            snippet = snippet.annotation(annotation.label(text));
        }
        done.extend(same_file);
        group = group.element(snippet);
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    vec![group]
}

struct Window {
    start: usize,
    end: usize,
    /// Number of the first line.
    line: usize,
}

/// A place without its line.
fn origin(source: &Source, span: Span) -> Origin<'_> {
    let at = source.position(span.start);
    Origin::path(source.name.as_ref()).line(at.line as usize).char_column(at.column as usize)
}

/// The lines of a source around its labels; none if they are too long.
fn window(source: &Source, spans: &[Span]) -> Option<Window> {
    let text = source.text.as_ref();
    let first = spans.iter().map(|s| s.start as usize).min().unwrap_or(0).min(text.len());
    let last = spans.iter().map(|s| s.end as usize).max().unwrap_or(0).min(text.len());
    let bytes = text.as_bytes();
    let mut start = first;
    for _ in 0..=CONTEXT {
        let near = start.saturating_sub(LONGEST);
        start = match bytes[near..start].iter().rposition(|b| *b == b'\n') {
            Some(found) => near + found,
            None if near > 0 => return None,
            None => 0,
        };
    }
    if start > 0 || bytes.first() == Some(&b'\n') && first > 0 {
        start += 1;
    }
    start = start.min(first);
    let mut end = last;
    for _ in 0..=CONTEXT {
        let rest = bytes.get(end..).unwrap_or_default();
        end = match rest.iter().take(LONGEST).position(|b| *b == b'\n') {
            Some(found) => end + found + 1,
            None if rest.len() > LONGEST => return None,
            None => text.len(),
        };
    }
    let (start, end) = (floor(text, start), floor(text, end.min(text.len())));
    let line = source.position(u32::try_from(start).unwrap_or(u32::MAX)).line as usize;
    Some(Window { start, end, line })
}

fn clip(source: &Source, span: Span, window: &Window) -> std::ops::Range<usize> {
    let text = source.text.as_ref();
    let start = floor(text, (span.start as usize).clamp(window.start, window.end)) - window.start;
    let end = floor(text, (span.end as usize).clamp(window.start, window.end)) - window.start;
    start..end.max(start)
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_looks_like_rustc() {
        let text = "a = 1\nb = 2\n\n[operations.wait]\nuses = \"pop.slep\"\nx = 1\ny = 2\nz = 3\n";
        let mut sources = Sources::new();
        let file = sources.add(Source::new("flow.pop.toml", text));
        let at = text.find("pop.slep").unwrap();
        let finding = Diagnostic::error(
            "unknown-operation-type",
            Span::new(file, at, at + 8),
            "there is no `pop.slep`",
        )
        .label("did you mean `pop.sleep`?")
        .also(Span::new(file, 0, 1), "and this")
        .help("a similar name exists");
        insta::assert_snapshot!(findings(&[finding], &sources, Colour::Never), @r#"
        error[unknown-operation-type]: there is no `pop.slep`
         --> flow.pop.toml:5:9
          |
        1 | a = 1
          | - and this
        ...
        5 | uses = "pop.slep"
          |         ^^^^^^^^ did you mean `pop.sleep`?
          |
          = help: a similar name exists
        "#);
    }

    #[test]
    fn pointers_and_odd_spans_do_not_panic() {
        let mut sources = Sources::new();
        let file = sources.add(Source::new("é.toml", "é\né"));
        for (start, end) in [(0, 0), (1, 2), (5, 5), (0, 99), (99, 99), (2, 3)] {
            let finding = Diagnostic::error("x", Span::new(file, start, end), "m");
            assert!(findings(&[finding], &sources, Colour::Never).contains("error[x]"));
        }
        let finding = Diagnostic::error("x", Location::Pointer("/a/b".into()), "m").label("l");
        assert!(findings(&[finding], &sources, Colour::Never).contains("at /a/b of the document: l"));
        let empty = Sources::new();
        let finding = Diagnostic::error("x", Span::new(file, 0, 1), "m");
        assert!(findings(&[finding], &empty, Colour::Always).contains('m'));
    }
}
