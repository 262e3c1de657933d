//! Findings as workflow commands of GitHub Actions, which shows them beside the changed lines.

use crate::diagnostic::{Diagnostic, Location, Severity};
use crate::source::Sources;

/// One line for each finding.
pub fn annotations<'d>(findings: impl IntoIterator<Item = (&'d Diagnostic, &'d Sources)>) -> String {
    findings.into_iter().map(|(finding, sources)| annotation(finding, sources) + "\n").collect()
}

fn annotation(finding: &Diagnostic, sources: &Sources) -> String {
    let command = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut message = finding.message.clone();
    let mut properties = Vec::new();
    match &finding.primary.at {
        Location::Span(span) => {
            if let Some(source) = sources.get(span.file) {
                let (start, end) = (source.position(span.start), source.position(span.end.max(span.start)));
                properties.push(format!("file={}", property(&source.name)));
                properties.push(format!("line={}", start.line));
                properties.push(format!("col={}", start.column));
                properties.push(format!("endLine={}", end.line));
                // columns mean something to GitHub only inside one line, and it counts the last one in
                if start.line == end.line {
                    properties.push(format!("endColumn={}", end.column.saturating_sub(1).max(start.column)));
                }
            }
        }
        Location::Pointer(pointer) => {
            let place = if pointer.is_empty() { "/" } else { pointer.as_str() };
            message += &format!("\nat {place} of the document");
        }
    }
    properties.push(format!("title={}", property(finding.rule)));
    if !finding.primary.text.is_empty() {
        message += &format!("\n{}", finding.primary.text);
    }
    for help in &finding.help {
        message += &format!("\nhelp: {help}");
    }
    format!("::{command} {}::{}", properties.join(","), data(&message))
}

/// Escapes a message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property's value like a message, and the characters that end a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Source, Span};

    #[test]
    fn what_would_end_a_line_or_a_property_is_escaped() {
        let mut sources = Sources::new();
        let file = sources.add(Source::new("a,b:c%.pop.toml", "x = 1\nyy = 2\n"));
        let error = Diagnostic::error("unknown-key", Span::new(file, 6, 8), "100 %: no `yy`,\r\nreally")
            .label("not a key")
            .help("did you mean `y`?");
        let warning = Diagnostic::warning("x", Span::new(file, 0, 7), "m");
        let info = Diagnostic::new("x", Severity::Info, Location::Pointer("/a".into()), "m");
        let all = [error, warning, info];
        assert_eq!(
            annotations(all.iter().map(|d| (d, &sources))),
            "::error file=a%2Cb%3Ac%25.pop.toml,line=2,col=1,endLine=2,endColumn=2,title=unknown-key::100 %25: no `yy`,%0D%0A\
             really%0Anot a key%0Ahelp: did you mean `y`?\n\
             ::warning file=a%2Cb%3Ac%25.pop.toml,line=1,col=1,endLine=2,title=x::m\n\
             ::notice title=x::m%0Aat /a of the document\n"
        );
    }
}
