//! `popc graph`.

use std::collections::HashSet;

use serde_json::Value;

use super::files::compile_file;
use super::{CLEAN, FINDINGS, Output, Picture};
use crate::agenda::{Agenda, keys};
use crate::graph::Graph;
use crate::reference;

/// The agenda of a template for a picture. A fan-out is one node, because its length is unknown; references to one or
/// all of its items lead to that node.
fn skeleton(agenda: &Agenda) -> Agenda {
    let fan_outs: HashSet<&str> = agenda
        .operations
        .iter()
        .filter(|o| o.params.contains_key(keys::EACH))
        .map(|o| o.name.as_str())
        .collect();
    let mut drawn = agenda.clone();
    for operation in &mut drawn.operations {
        let each = operation.params.shift_remove(keys::EACH).unwrap_or_default();
        let when = operation.params.shift_remove(keys::WHEN).unwrap_or_default();
        let generated = operation.params.shift_remove(keys::FAN_OUT).unwrap_or_default();
        let used = Value::Array(vec![std::mem::take(&mut operation.payload), each, when, generated]);
        let inside = format!("{}/", operation.name);
        let mut names = Vec::new();
        reference::scan(&used, &mut |_, _, token| {
            if let Some(name) = reference::operation_of(token.name).filter(|name| !name.starts_with(&inside))
            {
                let stem = name.rsplit_once('.').map(|(stem, _)| stem).filter(|stem| fan_outs.contains(stem));
                names.push(Value::from(format!("@<{}.out>", stem.unwrap_or(name))));
            }
        });
        operation.payload = Value::Array(names);
    }
    drawn
}

pub(super) fn run(args: &super::Graph, output: &mut Output<'_>) -> anyhow::Result<u8> {
    let compiled = compile_file(&args.file)?;
    output.findings(&compiled.diagnostics, &compiled.sources, &args.file)?;
    let skeleton = compiled.template.as_ref().map(|template| skeleton(&template.agenda));
    let Some(agenda) = compiled.agenda.as_ref().or(skeleton.as_ref()) else { return Ok(FINDINGS) };
    let graph = Graph::new(agenda);
    let picture = match args.format {
        Picture::Text => graph.to_text(),
        Picture::Svg => graph.to_svg(),
        Picture::Dot => graph.to_dot(),
        Picture::Mermaid => graph.to_mermaid(),
    };
    write!(output.out, "{picture}")?;
    if !picture.ends_with('\n') {
        writeln!(output.out)?;
    }
    Ok(CLEAN)
}
