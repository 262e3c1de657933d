//! Findings as SARIF 2.1.0, which code scanning services and editors read.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use crate::canonical;
use crate::diagnostic::{Diagnostic, Edit, Label, Location, Severity};
use crate::rules;
use crate::source::{Sources, Span};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Longest part of a line, on each side of a finding, that a fingerprint covers, in bytes: lines of megabytes may have
/// very many findings.
const LONGEST_LINE: usize = 2000;

/// The whole log: one run with every rule and the findings.
pub fn document<'d>(findings: impl IntoIterator<Item = (&'d Diagnostic, &'d Sources)>) -> Json {
    let mut fingerprints = Fingerprints::default();
    let results: Vec<Json> =
        findings.into_iter().map(|(finding, sources)| result(finding, sources, &mut fingerprints)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "popc",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": all().map(descriptor).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// Every rule, in the order of the log's table.
fn all() -> impl Iterator<Item = &'static rules::Rule> {
    rules::ALL.iter().chain(rules::AGENDA_RULES).copied()
}

fn descriptor(rule: &rules::Rule) -> Json {
    let none = rule.bad.is_empty();
    let examples = if none { String::new() } else { examples(rule) };
    json!({
        "id": rule.id,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.explanation },
        "help": { "text": rule.explanation, "markdown": format!("{}{examples}", rule.explanation) },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn examples(rule: &rules::Rule) -> String {
    format!("\n\nBad:\n\n{}\nGood:\n\n{}", fenced(rule.bad), fenced(rule.good))
}

fn fenced(example: &str) -> String {
    let language = if example.starts_with('{') { "json" } else { "toml" };
    format!("```{language}\n{}\n```\n", example.trim_end())
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// Number of findings of each rule in each line of each file so far.
#[derive(Default)]
struct Fingerprints(HashMap<(String, String), usize>);

impl Fingerprints {
    /// A fingerprint that stays the same when lines are added above: a hash of the rule and of the line, and the number
    /// of equal findings before this one in its file.
    fn of(&mut self, finding: &Diagnostic, sources: &Sources) -> String {
        let (file, line) = match &finding.primary.at {
            Location::Span(span) => {
                let source = sources.get(span.file);
                let text = source.map_or("", |source| source.text.as_ref());
                let at = (span.start as usize).min(text.len());
                let at = text.floor_char_boundary(at);
                let before = text.ceil_char_boundary(at.saturating_sub(LONGEST_LINE));
                let behind = text.floor_char_boundary(at.saturating_add(LONGEST_LINE));
                let start = text[before..at].rfind('\n').map_or(before, |n| before + n + 1);
                let end = text[at..behind].find('\n').map_or(behind, |n| at + n);
                (source.map(|source| source.name.to_string()).unwrap_or_default(), &text[start..end])
            }
            Location::Pointer(pointer) => (String::new(), pointer.as_str()),
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        let digest = canonical::digest(&(finding.rule, words));
        let hash = digest.get(..16).unwrap_or(&digest).to_owned();
        let seen = self.0.entry((file, hash.clone())).or_default();
        *seen += 1;
        format!("{hash}:{seen}")
    }
}

fn result(finding: &Diagnostic, sources: &Sources, fingerprints: &mut Fingerprints) -> Json {
    let mut object = Map::new();
    object.insert("ruleId".into(), finding.rule.into());
    if let Some(index) = all().position(|rule| rule.id == finding.rule) {
        object.insert("ruleIndex".into(), index.into());
    }
    object.insert("level".into(), level(finding.severity).into());
    object.insert("message".into(), json!({ "text": message(finding) }));
    object.insert("locations".into(), location(&finding.primary.at, sources).into_iter().collect());
    let fingerprint = fingerprints.of(finding, sources);
    object.insert("partialFingerprints".into(), json!({ "primaryLocationLineHash": fingerprint }));
    let related: Vec<Json> =
        finding.secondary.iter().enumerate().filter_map(|(i, label)| related(i, label, sources)).collect();
    if !related.is_empty() {
        object.insert("relatedLocations".into(), related.into());
    }
    if let Some(fix) = fix(finding, sources) {
        object.insert("fixes".into(), json!([fix]));
    }
    Json::Object(object)
}

/// The message, the text of the place, and the remedies, one line each.
fn message(finding: &Diagnostic) -> String {
    let label = (!finding.primary.text.is_empty()).then_some(&finding.primary.text);
    std::iter::once(&finding.message)
        .chain(label)
        .chain(&finding.help)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n")
}

fn location(at: &Location, sources: &Sources) -> Option<Json> {
    Some(match at {
        Location::Span(span) => json!({ "physicalLocation": physical(*span, sources)? }),
        Location::Pointer(pointer) => json!({ "logicalLocations": [{ "fullyQualifiedName": pointer }] }),
    })
}

fn related(index: usize, label: &Label, sources: &Sources) -> Option<Json> {
    let mut location = location(&label.at, sources)?;
    if let Json::Object(object) = &mut location {
        object.insert("id".into(), (index + 1).into());
        if !label.text.is_empty() {
            object.insert("message".into(), json!({ "text": label.text }));
        }
    }
    Some(location)
}

fn physical(span: Span, sources: &Sources) -> Option<Json> {
    let name = &sources.get(span.file)?.name;
    Some(json!({ "artifactLocation": { "uri": uri(name) }, "region": region(span, sources)? }))
}

fn region(span: Span, sources: &Sources) -> Option<Json> {
    let source = sources.get(span.file)?;
    let (start, end) = (source.position(span.start), source.position(span.end.max(span.start)));
    Some(json!({
        "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column,
    }))
}

/// All edits of a finding together, grouped by file in the order of first use.
fn fix(finding: &Diagnostic, sources: &Sources) -> Option<Json> {
    let mut files: Vec<(Span, Vec<&Edit>)> = Vec::new();
    for edit in &finding.fix {
        match files.iter_mut().find(|(first, _)| first.file == edit.span.file) {
            Some((_, edits)) => edits.push(edit),
            None => files.push((edit.span, vec![edit])),
        }
    }
    let changes: Vec<Json> = files
        .into_iter()
        .filter_map(|(first, edits)| {
            let replacements: Option<Vec<Json>> = edits
                .into_iter()
                .map(|edit| {
                    let deleted = region(edit.span, sources)?;
                    Some(json!({ "deletedRegion": deleted, "insertedContent": { "text": edit.replacement } }))
                })
                .collect();
            let uri = uri(&sources.get(first.file)?.name);
            Some(json!({ "artifactLocation": { "uri": uri }, "replacements": replacements? }))
        })
        .collect();
    let text = finding.help.first().unwrap_or(&finding.message);
    (!changes.is_empty()).then(|| json!({ "description": { "text": text }, "artifactChanges": changes }))
}

/// A path as a URI reference, with `%XX` for characters that a URI cannot hold.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let first = path.split('/').next().unwrap_or_default();
    // what stands before a colon would be read as a scheme
    let mut uri = String::from(if first.contains(':') { "./" } else { "" });
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/.-_~:@!$&'()*+,;=".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri += &format!("%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn a_result_has_regions_related_places_and_fixes() {
        let mut sources = Sources::new();
        let file = sources.add(Source::new("a b.pop.toml", "x = 1\nçyy = 2\n"));
        let finding = Diagnostic::error("unknown-key", Span::new(file, 8, 10), "unknown key `yy`")
            .label("not a key here")
            .also(Span::new(file, 0, 1), "like this one")
            .also(Location::Pointer("/a".into()), "")
            .help("did you mean `y`?")
            .edit(Span::new(file, 8, 10), "y");
        let log = document([(&finding, &sources)]);
        let index = rules::ALL.iter().position(|r| r.id == "unknown-key").unwrap();
        let region = json!({ "startLine": 2, "startColumn": 2, "endLine": 2, "endColumn": 4 });
        assert_eq!(
            log["runs"][0]["results"],
            json!([{
                "ruleId": "unknown-key", "ruleIndex": index, "level": "error",
                "message": { "text": "unknown key `yy`\nnot a key here\ndid you mean `y`?" },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": "a%20b.pop.toml" }, "region": region
                } }],
                "partialFingerprints": { "primaryLocationLineHash": "6fe9e6187d444a7c:1" },
                "relatedLocations": [
                    {
                        "physicalLocation": {
                            "artifactLocation": { "uri": "a%20b.pop.toml" },
                            "region": { "startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2 }
                        },
                        "id": 1, "message": { "text": "like this one" }
                    },
                    { "logicalLocations": [{ "fullyQualifiedName": "/a" }], "id": 2 }
                ],
                "fixes": [{
                    "description": { "text": "did you mean `y`?" },
                    "artifactChanges": [{
                        "artifactLocation": { "uri": "a%20b.pop.toml" },
                        "replacements": [{ "deletedRegion": region, "insertedContent": { "text": "y" } }]
                    }]
                }]
            }])
        );
        let driver = &log["runs"][0]["tool"]["driver"];
        assert_eq!(driver["rules"][index]["id"], "unknown-key");
        assert_eq!(driver["rules"].as_array().map(Vec::len), Some(all().count()));
    }

    #[test]
    fn paths_become_uri_references() {
        for (path, expected) in [
            ("flows/a.pop.toml", "flows/a.pop.toml"),
            ("/tmp/ä.toml", "/tmp/%C3%A4.toml"),
            ("a\\b%c#d?.toml", "a/b%25c%23d%3F.toml"),
            ("c:x.toml", "./c:x.toml"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
