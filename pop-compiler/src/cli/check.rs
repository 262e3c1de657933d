//! `popc check`.

use super::files::{compile_file, find};
use super::fix::Fixer;
use super::{CLEAN, Check, Deny, FINDINGS, Format, Output};
use crate::render::{Summary, github, json, sarif, text};

/// Findings of one file that are written for people.
const MAX_SHOWN: usize = 500;

pub(super) fn run(args: &Check, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let files = find(&args.paths)?;
    let mut summary = Summary::default();
    let mut all = Vec::with_capacity(files.len());
    let mut fixer = Fixer::default();
    for path in &files {
        let compiled = if args.fix { fixer.run(path, output)? } else { compile_file(path)? };
        summary = summary.plus(Summary::of(&compiled.diagnostics));
        if args.format != Format::Text {
            all.push((compiled.diagnostics, compiled.sources));
            continue;
        }
        let shown = &compiled.diagnostics[..compiled.diagnostics.len().min(MAX_SHOWN)];
        write!(output.err, "{}", text::findings(shown, &compiled.sources, output.colour))?;
        if shown.len() < compiled.diagnostics.len() {
            let more = compiled.diagnostics.len() - shown.len();
            writeln!(output.err, "… and {more} more findings in {}", path.display())?;
        }
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
