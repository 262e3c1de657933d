//! `popc diff`.

use serde_json::{Map, Value as Json, json};

use super::files::compile_file;
use super::{CLEAN, Diff, FINDINGS, Output, Report};
use crate::Compiled;
use crate::agenda::AgendaTemplate;
use crate::diff::{Change, Verdict, diff, verdict};

/// Version of the JSON.
const VERSION: u32 = 1;

/// Exit code of a verdict.
fn code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Compatible => CLEAN,
        Verdict::Regenerate => 10,
        Verdict::Recompute => 11,
        Verdict::Breaking => 12,
    }
}

pub(super) fn run(args: &Diff, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let (old, new) = (compile_file(&args.old)?, compile_file(&args.new)?);
    for (compiled, path) in [(&old, &args.old), (&new, &args.new)] {
        output.findings(&compiled.diagnostics, &compiled.sources, path)?;
    }
    let Some((old_template, new_template)) = comparable(&old, &new) else { return Ok(FINDINGS) };
    let changes = diff(&old_template, &new_template);
    let verdict = verdict(&changes);
    match args.format {
        Report::Text => {
            for change in &changes {
                let place = place(change, &old, &new)
                    .map(|(file, line, column)| format!(" ({file}:{line}:{column})"))
                    .unwrap_or_default();
                writeln!(
                    output.out,
                    "{:10}  {}: {}{place}",
                    change.verdict.as_str(),
                    change.at,
                    change.message
                )?;
            }
            let word = if changes.is_empty() { "identical" } else { verdict.as_str() };
            writeln!(output.out, "{word}: {}", verdict.meaning())?;
        }
        Report::Json => {
            let changes: Vec<Json> = changes.iter().map(|change| json(change, &old, &new)).collect();
            let document = json!({ "version": VERSION, "verdict": verdict.as_str(), "changes": changes });
            writeln!(output.out, "{document:#}")?;
        }
    }
    Ok(code(verdict))
}

/// The compared templates; or the agendas, if one side has only an agenda.
fn comparable(old: &Compiled, new: &Compiled) -> Option<(AgendaTemplate, AgendaTemplate)> {
    let bare = |c: &Compiled| c.template.is_none() && c.agenda.is_some();
    let of = |c: &Compiled| {
        let agenda = c.agenda.clone().filter(|_| bare(old) || bare(new));
        agenda
            .map(|agenda| AgendaTemplate { agenda, ..AgendaTemplate::default() })
            .or_else(|| c.template.clone())
    };
    of(old).zip(of(new))
}

/// Place of a change's operation: in the new file, or in the old one for a removed operation.
fn place<'c>(change: &Change, old: &'c Compiled, new: &'c Compiled) -> Option<(&'c str, u32, u32)> {
    let name = change.operation.as_ref()?;
    [new, old].into_iter().find_map(|compiled| {
        let span = compiled.source_map.get(name)?;
        let source = compiled.sources.get(span.file)?;
        let at = source.position(span.start);
        Some((source.name.as_ref(), at.line, at.column))
    })
}

fn json(change: &Change, old: &Compiled, new: &Compiled) -> Json {
    let mut object = Map::new();
    object.insert("verdict".into(), change.verdict.as_str().into());
    object.insert("at".into(), change.at.as_str().into());
    object.insert("message".into(), change.message.as_str().into());
    object.extend(change.operation.as_ref().map(|name| ("operation".to_owned(), name.as_str().into())));
    if let Some((file, line, column)) = place(change, old, new) {
        object.insert("file".into(), file.into());
        object.insert("line".into(), line.into());
        object.insert("column".into(), column.into());
    }
    Json::Object(object)
}
