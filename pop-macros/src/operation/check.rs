//! Asks the compiler about an operation type alone, through a workflow's text that declares nothing else.

use pop_compiler::diagnostic::{Location, Severity};
use pop_compiler::source::Source;
use pop_compiler::{Format, Options};
use serde_json::{Map, Value, json};
use syn::{Error, Ident, LitStr};

use super::arguments::Arguments;

/// The compiler's findings, at the text that they speak of.
pub(super) fn check(arguments: &Arguments, names: &[(&Ident, String)]) -> Vec<Error> {
    let texts = |list: &[LitStr]| list.iter().map(LitStr::value).collect::<Value>();
    let input: Map<String, Value> = names.iter().map(|(_, json)| (json.clone(), "any".into())).collect();
    let mut kind = Map::from_iter([("input".to_owned(), Value::Object(input))]);
    if !arguments.command.is_empty() {
        kind.insert("command".into(), texts(&arguments.command));
    }
    if !arguments.args.is_empty() {
        kind.insert("args".into(), texts(&arguments.args));
    }
    for (key, text) in [("stdin", &arguments.stdin), ("image", &arguments.image)] {
        kind.extend(text.as_ref().map(|t| (key.to_owned(), t.value().into())));
    }
    let mut catalog = Map::new();
    catalog.insert(arguments.name.value(), Value::Object(kind));
    let catalog = json!({ "workflow": { "name": "operation" }, "catalog": catalog }).to_string();
    // The operation behind it keeps the workflow from being empty; what is found there is not the user's.
    let end = catalog.len() - 1;
    let text = format!(
        r#"{}, "operations": {{"log": {{"uses": "pop.log", "with": {{"message": ""}}}}}}}}"#,
        &catalog[..end]
    );
    let source = Source::new("operation", text.as_str());
    let compiled = pop_compiler::compile(source, Format::Json, &Options::default());
    let findings = compiled.diagnostics.iter().filter(|finding| {
        let inside = matches!(&finding.primary.at, Location::Span(span) if (span.start as usize) < end);
        finding.severity == Severity::Error && inside
    });
    findings
        .map(|finding| {
            let Location::Span(place) = finding.primary.at else {
                return Error::new(arguments.name.span(), crate::findings::message(finding));
            };
            let place = place.start as usize;
            let spoken_of = arguments.texts().find(|argument| {
                let written = Value::from(argument.value()).to_string();
                let mut places = text.match_indices(&written);
                places.any(|(at, _)| (at..at + written.len()).contains(&place))
            });
            let span = spoken_of.unwrap_or(&arguments.name).span();
            Error::new(span, crate::findings::message(finding))
        })
        .collect()
}
