//! `popc check`.

use std::collections::HashSet;

use super::files::{compile_file, find};
use super::fix::Fixer;
use super::{CLEAN, Check, Deny, FINDINGS, Format, Output};
use crate::Compiled;
use crate::diagnostic::{Diagnostic, Location};
use crate::render::{Summary, github, json, sarif};
use crate::source::Sources;

pub(super) fn run(args: &Check, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let files = find(&args.paths)?;
    let mut summary = Summary::default();
    let mut all = Vec::with_capacity(files.len());
    let mut fixer = Fixer::default();
    let mut seen = HashSet::new();
    for path in &files {
        let mut compiled = if args.fix { fixer.run(path, output)? } else { compile_file(path)? };
        let Compiled { diagnostics, sources, .. } = &mut compiled;
        diagnostics.retain(|finding| seen.insert(key(finding, sources)));
        summary = summary.plus(Summary::of(&compiled.diagnostics));
        if args.format != Format::Text {
            all.push((compiled.diagnostics, compiled.sources));
            continue;
        }
        output.findings(&compiled.diagnostics, &compiled.sources, path)?;
    }
    let findings = all.iter().flat_map(|(findings, sources)| findings.iter().map(move |f| (f, sources)));
    match args.format {
        Format::Text => {
            let files = if files.len() == 1 { "1 file".to_owned() } else { format!("{} files", files.len()) };
            let fixed = match fixer.fixed() {
                0 => String::new(),
                n => format!(", {n} fixed"),
            };
            writeln!(output.err, "{files}: {summary}{fixed}")?;
        }
        Format::Json => writeln!(output.out, "{:#}", json::document(findings))?,
        Format::Sarif => writeln!(output.out, "{:#}", sarif::document(findings))?,
        Format::Github => write!(output.out, "{}", github::annotations(findings))?,
    }
    let denied = args.deny == Some(Deny::Warnings) && summary.warnings > 0;
    Ok(if summary.errors > 0 || denied { FINDINGS } else { CLEAN })
}

/// What makes a finding the same as another: several workflows may name one catalog, and share their `pop.toml`.
fn key(finding: &Diagnostic, sources: &Sources) -> (String, &'static str, String, String) {
    let (file, place) = match &finding.primary.at {
        Location::Span(span) => {
            let name = sources.get(span.file).map(|source| source.name.to_string());
            (name.unwrap_or_default(), format!("{}-{}", span.start, span.end))
        }
        Location::Pointer(pointer) => {
            let name = sources.iter().next().map(|(_, source)| source.name.to_string());
            (name.unwrap_or_default(), pointer.clone())
        }
    };
    (file, finding.rule, place, finding.message.clone())
}
