//! Workflows: compiling, formatting, fixing.

use std::collections::HashMap;

use pop_compiler::agenda::AgendaTemplate;
use pop_compiler::diagnostic::{Diagnostic, Label, Location, Severity};
use pop_compiler::graph::Graph;
use pop_compiler::render::text::Colour;
use pop_compiler::render::{github, json, sarif, text};
use pop_compiler::source::{Source, Sources, Span};
use pop_compiler::{Compiled, Format, Options, canonical, compile, data, diff, rules, validate};
use serde_json::Value;

use super::split;

/// A workflow in TOML and the files it names: any text ends in findings that make sense, or in a template that does, and
/// its JSON form gives the same.
pub fn toml_source(seed: &str) {
    let (text, files) = split(seed);
    let compiled = compiled(&text, Format::Toml, &files);
    sensible(&compiled);
    other_format(&text, &compiled, &files);
}

/// As [`toml_source`], in JSON.
pub fn json_source(seed: &str) {
    let (text, files) = split(seed);
    sensible(&compiled(&text, Format::Json, &files));
}

/// Formatting twice is formatting once, and a formatted text means what it meant. Seeds that begin with `{` or `//` are JSON.
pub fn fmt(seed: &str) {
    let (text, files) = split(seed);
    let format = format_of(&text);
    let Ok(formatted) = pop_compiler::fmt::format(&text, format) else { return };
    let again = pop_compiler::fmt::format(&formatted, format).expect("what was formatted can be read");
    assert_eq!(again, formatted, "formatting is idempotent");
    let (before, after) = (compiled(&text, format, &files), compiled(&formatted, format, &files));
    assert_eq!(bytes(&after), bytes(&before));
    assert_eq!(rule_ids(&after.diagnostics), rule_ids(&before.diagnostics));
}

/// Fixing ends, after which nothing is left that could be fixed, and never makes a text unreadable that can be read.
pub fn fix(seed: &str) {
    let (text, mut files) = split(seed);
    let format = format_of(&text);
    let mut text = text;
    // syntax errors are mended a few at a time, and a seed may be full of them
    for _ in 0..4096 {
        let before = compiled(&text, format, &files);
        let fixed = pop_compiler::fix::apply(&before.diagnostics, &before.sources);
        if fixed.findings.is_empty() {
            return;
        }
        for (file, new) in fixed.files {
            let name = before.sources.get(file).expect("only known files are fixed").name.to_string();
            match files.iter_mut().find(|(other, _)| *other == name) {
                Some((_, old)) => *old = new,
                None => text = new,
            }
        }
        let after = compiled(&text, format, &files);
        if unreadable_of(&after, &before.sources) > unreadable(&before) {
            // a fault may hide another in a text that can't be read anyway; such a round is taken back
            assert!(
                unreadable(&before) > 0,
                "a fix broke the file: {:#?}\n{text}",
                fixed.findings.iter().map(|i| &before.diagnostics[*i]).collect::<Vec<_>>()
            );
            return;
        }
    }
    let left = compiled(&text, format, &files).diagnostics;
    panic!("fixing does not end: {left:#?}\n{text}");
}

fn unreadable(compiled: &Compiled) -> usize {
    compiled.diagnostics.iter().filter(|d| d.rule == "syntax").count()
}

/// As [`unreadable`], in files that were read before.
fn unreadable_of(compiled: &Compiled, before: &Sources) -> usize {
    let known = |finding: &&Diagnostic| match finding.primary.at {
        Location::Span(span) => {
            let name = compiled.sources.get(span.file).map(|source| &source.name);
            before.iter().any(|(_, source)| Some(&source.name) == name)
        }
        Location::Pointer(_) => true,
    };
    compiled.diagnostics.iter().filter(|d| d.rule == "syntax").filter(known).count()
}

fn format_of(text: &str) -> Format {
    if text.starts_with('{') || text.starts_with("//") { Format::Json } else { Format::Toml }
}

fn compiled(text: &str, format: Format, files: &[(String, String)]) -> Compiled {
    let files: HashMap<&str, &str> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let loader = |name: &str| match files.get(name) {
        Some(text) => Ok(Source::new(name, *text)),
        None => Err("no such file".to_owned()),
    };
    let name = if format == Format::Toml { "flow.pop.toml" } else { "flow.pop.json" };
    compile(Source::new(name, text), format, &Options { loader: &loader, ..Options::default() })
}

/// What is emitted; nothing when there are errors.
fn bytes(compiled: &Compiled) -> Option<String> {
    let agenda = compiled.agenda.as_ref().map(canonical::pretty);
    agenda.or_else(|| compiled.template.as_ref().map(canonical::pretty))
}

fn rule_ids(findings: &[Diagnostic]) -> Vec<&'static str> {
    let mut ids: Vec<_> = findings.iter().map(|d| d.rule).collect();
    ids.sort_unstable();
    ids
}

/// Whether everything about a compilation fits together.
pub(crate) fn sensible(compiled: &Compiled) {
    findings(&compiled.diagnostics, &compiled.sources);
    let errors = compiled.diagnostics.iter().any(|d| d.severity == Severity::Error);
    let Some(template) = &compiled.template else {
        assert!(errors, "there is a template or a reason why not");
        return;
    };
    assert_eq!(errors, compiled.agenda.is_none() && template.params.get("pop.inputs").is_none());
    let wrong = validate::template(template).into_iter().filter(|d| d.severity == Severity::Error);
    assert_eq!(wrong.collect::<Vec<_>>(), [], "what is emitted passes the checks");
    let text = canonical::pretty(template);
    let read: AgendaTemplate = serde_json::from_str(&text).expect("a template can be read again");
    assert_eq!(canonical::pretty(&read), text);
    assert_eq!(diff::diff(template, &read), [], "nothing differs from itself");
    for operation in &template.agenda.operations {
        let place = compiled.source_map.get(&operation.name).expect("each operation has its place");
        inside(place, &compiled.sources);
    }
    for mention in &compiled.mentions {
        inside(mention.span, &compiled.sources);
    }
    graph(&Graph::new(&template.agenda));
    if let Some(agenda) = &compiled.agenda {
        let wrong = validate::agenda(agenda).into_iter().filter(|d| d.severity == Severity::Error);
        assert_eq!(wrong.collect::<Vec<_>>(), [], "what is expanded passes the checks");
        graph(&Graph::new(agenda));
    }
}

/// Whether the findings can be shown, and point into the texts.
pub(crate) fn findings(findings: &[Diagnostic], sources: &Sources) {
    for finding in findings {
        // this one only counts what the others are too many of
        let known = rules::find(finding.rule).is_some() || finding.rule == "more-findings";
        assert!(known, "{} is no rule", finding.rule);
        for Label { at, .. } in std::iter::once(&finding.primary).chain(&finding.secondary) {
            if let Location::Span(span) = at {
                inside(*span, sources);
            }
        }
        for edit in &finding.fix {
            inside(edit.span, sources);
        }
    }
    let shown = &findings[..findings.len().min(20)];
    text::findings(shown, sources, Colour::Never);
    let pairs = || shown.iter().map(|finding| (finding, sources));
    let document = json::document(pairs());
    assert_eq!(document["diagnostics"].as_array().map(Vec::len), Some(shown.len()));
    sarif::document(pairs());
    assert_eq!(github::annotations(pairs()).lines().count(), shown.len(), "one line each");
}

#[track_caller]
fn inside(span: Span, sources: &Sources) {
    let text = &sources.get(span.file).expect("the file is known").text;
    assert!(text.get(span.range()).is_some(), "{span:?} is outside of the text");
}

/// Whether the pictures can be drawn, and the orders agree.
pub(crate) fn graph(graph: &Graph) {
    match graph.order() {
        Ok(order) => {
            assert_eq!(order.len(), graph.len());
            assert_eq!(graph.levels().len(), graph.len());
            assert!(graph.cycles().is_empty());
        }
        // an operation that waits for itself is a circle too, but a finding of its own
        Err(_) => assert!(!graph.cycles().is_empty() || graph.edges().any(|(a, b, _)| a == b)),
    }
    for picture in [graph.to_text(), graph.to_dot(), graph.to_svg(), graph.to_mermaid()] {
        assert!(!picture.is_empty() || graph.is_empty());
    }
}

/// A TOML text that can be read gives the same in the JSON format.
fn other_format(text: &str, compiled: &Compiled, files: &[(String, String)]) {
    // comments that allow something are no data
    if unreadable(compiled) > 0 || text.contains("pop:") {
        return;
    }
    let (value, _, faults) = data(Source::new("x", text), Format::Toml);
    if !faults.is_empty() {
        return;
    }
    let json = Value::to_string(&value);
    let other = self::compiled(&json, Format::Json, files);
    assert_eq!(bytes(&other), bytes(compiled), "{json}");
    assert_eq!(rule_ids(&other.diagnostics), rule_ids(&compiled.diagnostics), "{json}");
}
