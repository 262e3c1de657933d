//! Diagnostics as JSON, version 1, for the command line and the server.

use serde_json::{Map, Value as Json, json};

use super::Summary;
use crate::diagnostic::{Diagnostic, Location};
use crate::source::Sources;

/// Version of the format.
const VERSION: u32 = 1;

/// The whole document: `{version, diagnostics, summary}`.
pub fn document<'d>(findings: impl IntoIterator<Item = (&'d Diagnostic, &'d Sources)>) -> Json {
    let mut summary = Summary::default();
    let diagnostics: Vec<Json> = findings
        .into_iter()
        .map(|(finding, sources)| {
            summary = summary.plus(Summary::of(std::slice::from_ref(finding)));
            one(finding, sources)
        })
        .collect();
    json!({
        "version": VERSION,
        "diagnostics": diagnostics,
        "summary": { "errors": summary.errors, "warnings": summary.warnings },
    })
}

/// One finding.
pub fn one(finding: &Diagnostic, sources: &Sources) -> Json {
    let mut object = Map::new();
    object.insert("rule".into(), finding.rule.into());
    object.insert("severity".into(), finding.severity.as_str().into());
    object.insert("message".into(), finding.message.as_str().into());
    locate(&mut object, &finding.primary.at, sources);
    if !finding.primary.text.is_empty() {
        object.insert("label".into(), finding.primary.text.as_str().into());
    }
    let related = finding.secondary.iter().map(|label| {
        let mut object = Map::new();
        locate(&mut object, &label.at, sources);
        object.insert("label".into(), label.text.as_str().into());
        Json::Object(object)
    });
    object.insert("related".into(), related.collect());
    object.insert("help".into(), finding.help.iter().map(|h| Json::from(h.as_str())).collect());
    let fix = finding.fix.iter().map(|edit| {
        let file = sources.get(edit.span.file).map(|s| s.name.to_string());
        json!({ "file": file, "start": edit.span.start, "end": edit.span.end, "replacement": edit.replacement })
    });
    object.insert("fix".into(), fix.collect());
    Json::Object(object)
}

fn locate(object: &mut Map<String, Json>, at: &Location, sources: &Sources) {
    match at {
        Location::Span(span) => {
            let Some(source) = sources.get(span.file) else { return };
            let (start, end) = (source.position(span.start), source.position(span.end));
            object.insert("file".into(), source.name.as_ref().into());
            object.insert("line".into(), start.line.into());
            object.insert("column".into(), start.column.into());
            object.insert("endLine".into(), end.line.into());
            object.insert("endColumn".into(), end.column.into());
        }
        Location::Pointer(pointer) => {
            object.insert("pointer".into(), pointer.as_str().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Source, Span};

    #[test]
    fn the_format_is_what_programs_rely_on() {
        let mut sources = Sources::new();
        let file = sources.add(Source::new("a.pop.toml", "x = 1\nyy = 2\n"));
        let finding = Diagnostic::error("unknown-key", Span::new(file, 6, 8), "unknown key `yy`")
            .label("did you mean `y`?")
            .also(Location::Pointer("/a".into()), "there")
            .help("say y")
            .edit(Span::new(file, 6, 8), "y");
        assert_eq!(
            document([(&finding, &sources)]),
            json!({
                "version": 1,
                "diagnostics": [{
                    "rule": "unknown-key", "severity": "error", "message": "unknown key `yy`",
                    "file": "a.pop.toml", "line": 2, "column": 1, "endLine": 2, "endColumn": 3,
                    "label": "did you mean `y`?",
                    "related": [{ "pointer": "/a", "label": "there" }],
                    "help": ["say y"],
                    "fix": [{ "file": "a.pop.toml", "start": 6, "end": 8, "replacement": "y" }]
                }],
                "summary": { "errors": 1, "warnings": 0 }
            })
        );
    }
}
