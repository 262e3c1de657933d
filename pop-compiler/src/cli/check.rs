//! `popc check`.

use std::collections::HashSet;
use std::path::Path;

use anyhow::bail;
use serde_json::json;

use super::files::{compile_file, find_all, read_stdin};
use super::fix::{Fixer, compile_text};
use super::{CLEAN, Check, Deny, FINDINGS, Output, ReportFormat, USAGE};
use crate::diagnostic::{Diagnostic, Location};
use crate::render::{Summary, github, json, sarif};
use crate::source::Sources;
use crate::{Compiled, Coverage};

pub(super) fn run(args: &Check, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let piped = args.paths.iter().any(|path| path == Path::new("-"));
    if piped && args.fix && args.format != ReportFormat::Text {
        bail!("`--fix -` and `--format` both write to standard output. Use one of them");
    }
    let (files, mut failures) = find_all(&args.paths);
    let mut count = 0;
    let mut summary = Summary::default();
    let mut coverage = Coverage::default();
    let mut all = Vec::with_capacity(files.len());
    let mut fixer = Fixer::new(&args.paths);
    let mut seen = HashSet::new();
    for path in &files {
        let compiled = if path == Path::new("-") {
            piped_in(args, &mut fixer, output)
        } else if args.fix {
            fixer.run(path, output)
        } else {
            compile_file(path)
        };
        let mut compiled = match compiled {
            Ok(compiled) => compiled,
            Err(error) => {
                failures.push(error);
                // what can't be written can be checked
                match compile_file(path) {
                    Ok(compiled) if args.fix => compiled,
                    _ => continue,
                }
            }
        };
        compiled.as_catalog();
        count += 1;
        coverage = coverage.plus(compiled.coverage);
        let Compiled { diagnostics, sources, .. } = &mut compiled;
        diagnostics.retain(|finding| seen.insert(key(finding, sources)));
        summary = summary.plus(Summary::of(&compiled.diagnostics));
        if args.format != ReportFormat::Text {
            all.push((compiled.diagnostics, compiled.sources));
            continue;
        }
        output.findings(&compiled.diagnostics, &compiled.sources, path)?;
    }
    for error in &failures {
        writeln!(output.err, "error: {error:#}")?;
    }
    let findings = all.iter().flat_map(|(findings, sources)| findings.iter().map(move |f| (f, sources)));
    match args.format {
        ReportFormat::Text => {
            let files = if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
            let fixed = match fixer.fixed() {
                0 => String::new(),
                n => format!(", {n} fixed"),
            };
            // nothing was looked at, so nothing is said about it
            if count > 0 {
                writeln!(output.err, "{files}: {summary}{fixed}{}", untyped(coverage))?;
            }
        }
        ReportFormat::Json => {
            let mut document = json::document(findings);
            document["summary"]["references"] = json!({ "all": coverage.edges, "typed": coverage.typed });
            writeln!(output.out, "{document:#}")?;
        }
        ReportFormat::Sarif => writeln!(output.out, "{:#}", sarif::document(findings))?,
        ReportFormat::Github => write!(output.out, "{}", github::annotations(findings))?,
    }
    if !failures.is_empty() {
        return Ok(USAGE);
    }
    let denied = args.deny == Some(Deny::Warnings) && summary.warnings > 0;
    Ok(if summary.errors > 0 || denied { FINDINGS } else { CLEAN })
}

/// Share of typed references, if some are untyped.
fn untyped(coverage: Coverage) -> String {
    match coverage {
        Coverage { edges, typed } if typed < edges => format!("; {typed} of {edges} references typed"),
        _ => String::new(),
    }
}

/// The text from standard input; with `--fix` the fixed text goes to standard output.
fn piped_in(args: &Check, fixer: &mut Fixer, output: &mut Output<'_>) -> anyhow::Result<Compiled> {
    let source = read_stdin()?;
    if !args.fix {
        return compile_text(&source);
    }
    let (compiled, text) = fixer.run_text(&source, output)?;
    write!(output.out, "{text}")?;
    Ok(compiled)
}

/// Identity of a finding: several workflows may name one catalog, and share their `pop.toml`.
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
