//! What a help says to write is tried, where it says it: the finding is gone then, and nothing new is found at that place.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pop_compiler::diagnostic::{Diagnostic, Edit, Location, Severity};
use pop_compiler::source::{FileId, Source, Span};
use pop_compiler::{Compiled, Format, Options, compile};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(name)
}

fn compiled(directory: &Path, name: &str, text: &str) -> Compiled {
    let loader = |name: &str| match fs::read_to_string(directory.join(name)) {
        Ok(text) => Ok(Source::new(name, text)),
        Err(error) => Err(error.to_string()),
    };
    let options = Options { loader: &loader, ..Options::default() };
    compile(Source::new(name, text), Format::from_path(name).unwrap(), &options)
}

fn changed(text: &str, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| edit.span.start);
    let mut text = text.to_owned();
    edits.iter().rev().for_each(|edit| text.replace_range(edit.span.range(), &edit.replacement));
    text
}

/// The code that a help tells people to write instead of what is at the place of the finding.
fn instead(help: &str) -> Option<&str> {
    let code = |intro: &str, end: &str| help.strip_prefix(intro)?.strip_suffix(end);
    let code = code("did you mean `", "`?").or_else(|| code("write `", "`"))?;
    (!code.contains('`') && !code.ends_with('…')).then_some(code)
}

/// The edit that a person makes who follows a help: the code goes where the finding is, in the quotes that are there.
fn followed(text: &str, span: Span, code: &str) -> Edit {
    let (mut start, mut end) = (span.start as usize, span.end as usize);
    // a name in a native token
    if text[start..end].starts_with("@<") && !code.starts_with("@<") {
        let stop = text[start..end].find([':', '.', '?', '>']).map_or(end, |at| start + at);
        return Edit { span: Span::new(span.file, start + 2, stop), replacement: code.to_owned() };
    }
    for (open, close) in [("\"\"\"", "\"\"\""), ("'''", "'''"), ("['", "']"), ("\"", "\""), ("'", "'")] {
        let shown = &text[start..end];
        let own = code.starts_with(['"', '[', '{'])
            || code.parse::<f64>().is_ok()
            || code == "true"
            || code == "false";
        if shown.len() >= open.len() + close.len()
            && shown.starts_with(open)
            && shown.ends_with(close)
            && !own
        {
            (start, end) = (start + open.len(), end - close.len());
            break;
        }
    }
    Edit { span: Span::new(span.file, start, end), replacement: code.to_owned() }
}

/// How often each fault is found.
fn counts(compiled: &Compiled) -> BTreeMap<(&'static str, String), usize> {
    let mut found = BTreeMap::new();
    for finding in &compiled.diagnostics {
        *found.entry((finding.rule, finding.message.clone())).or_default() += 1;
    }
    found
}

/// What is wrong with following a change for a finding.
fn astray(
    before: &Compiled,
    finding: &Diagnostic,
    after: &Compiled,
    line: u32,
    several: bool,
) -> Option<String> {
    let (old, new) = (counts(before), counts(after));
    let same = |found: &&Diagnostic| {
        let place = |finding: &Diagnostic| match finding.primary.at {
            Location::Span(span) => span.start,
            Location::Pointer(_) => 0,
        };
        (found.rule, &found.message, place(found)) == (finding.rule, &finding.message, place(finding))
    };
    if after.diagnostics.iter().any(|found| same(&found)) {
        return Some("the finding is still there".to_owned());
    }
    // where there are several faults, one may hide another
    if several {
        return None;
    }
    let here = after.diagnostics.iter().find(|found| {
        let Location::Span(span) = found.primary.at else { return false };
        let at = after.sources.get(span.file).map(|source| source.position(span.start).line);
        let fault = (found.rule, found.message.clone());
        found.severity == Severity::Error
            && span.file == FileId(0)
            && at == Some(line)
            && new[&fault] > old.get(&fault).copied().unwrap_or_default()
    });
    here.map(|found| format!("then: {}: {}", found.rule, found.message))
}

#[test]
fn a_help_never_leads_astray() {
    let (mut fixes, mut helps, mut failures) = (0, 0, Vec::new());
    for corpus in ["faults", "faults-many"] {
        let directory = folder(corpus);
        let mut names: Vec<String> = fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| Format::is_workflow_path(name))
            .collect();
        names.sort();
        for name in names {
            let text = fs::read_to_string(directory.join(&name)).unwrap();
            let before = compiled(&directory, &name, &text);
            for finding in &before.diagnostics {
                let Location::Span(span) = finding.primary.at else { continue };
                if span.file != FileId(0) {
                    continue;
                }
                let line = before.sources.get(span.file).unwrap().position(span.start).line;
                let mut trial = |edits: &[Edit], what: &str| {
                    let new = changed(&text, edits);
                    let after = compiled(&directory, &name, &new);
                    if let Some(why) = astray(&before, finding, &after, line, before.diagnostics.len() > 2) {
                        failures
                            .push(format!("{name}: {}: {}: {what}: {why}", finding.rule, finding.message));
                    }
                };
                if !finding.fix.is_empty() {
                    fixes += 1;
                    trial(&finding.fix, "the fix");
                    continue; // which is what the help says, at its place
                }
                for code in finding.help.iter().filter_map(|help| instead(help)) {
                    helps += 1;
                    trial(&[followed(&text, span, code)], code);
                }
            }
        }
    }
    println!("{fixes} fixes and {helps} helps tried, {} lead astray", failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(fixes > 450 && helps > 12, "{fixes} fixes, {helps} helps");
}
