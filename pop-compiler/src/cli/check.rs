//! `popc check`.

use super::files::{compile_file, find};
use super::{CLEAN, Check, FINDINGS, Format, Output};
use crate::render::{Summary, json, text};

/// Findings of one file that are written for people.
const MAX_SHOWN: usize = 500;

pub(super) fn run(args: &Check, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let files = find(&args.paths)?;
    let mut summary = Summary::default();
    let mut all = Vec::with_capacity(files.len());
    for path in &files {
        let compiled = compile_file(path)?;
        summary = summary.plus(Summary::of(&compiled.diagnostics));
        match args.format {
            Format::Text => {
                let shown = &compiled.diagnostics[..compiled.diagnostics.len().min(MAX_SHOWN)];
                write!(output.err, "{}", text::findings(shown, &compiled.sources, output.colour))?;
                if shown.len() < compiled.diagnostics.len() {
                    let more = compiled.diagnostics.len() - shown.len();
                    writeln!(output.err, "… and {more} more findings in {}", path.display())?;
                }
            }
            Format::Json => all.push((compiled.diagnostics, compiled.sources)),
        }
    }
    match args.format {
        Format::Text => {
            let files = if files.len() == 1 { "1 file".to_owned() } else { format!("{} files", files.len()) };
            writeln!(output.err, "{files}: {summary}")?;
        }
        Format::Json => {
            let findings =
                all.iter().flat_map(|(findings, sources)| findings.iter().map(move |f| (f, sources)));
            writeln!(output.out, "{:#}", json::document(findings))?;
        }
    }
    Ok(if summary.errors > 0 { FINDINGS } else { CLEAN })
}
