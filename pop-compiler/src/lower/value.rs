//! Values: references become POP's native tokens, object keys are sorted.

use serde_json::Value as Json;

use crate::ast::{Value, ValueKind};
use crate::check::{Model, Target};
use crate::expr::{Part, Reference, Segment, Template};
use crate::reference;

/// The value as it stands in an agenda. Recursion is bounded by the depth of the source.
pub(super) fn lower(model: &Model<'_>, value: &Value) -> Json {
    match &value.kind {
        ValueKind::Error | ValueKind::Null => Json::Null,
        ValueKind::Bool(b) => Json::Bool(*b),
        ValueKind::Number(n) => Json::Number(n.clone()),
        ValueKind::Text(template) => Json::String(text(model, template)),
        ValueKind::List(items) => Json::Array(items.iter().map(|v| lower(model, v)).collect()),
        ValueKind::Record(fields) => {
            let mut fields: Vec<_> =
                fields.iter().map(|f| (f.name.value.clone(), lower(model, &f.value))).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(fields.into_iter().collect())
        }
    }
}

/// The value as JSON, keys sorted, when no reference is in it. Recursion as above.
pub(super) fn plain(value: &Value) -> Option<Json> {
    Some(match &value.kind {
        ValueKind::Text(template) => Json::from(template.as_text()?),
        ValueKind::List(items) => Json::Array(items.iter().map(plain).collect::<Option<_>>()?),
        ValueKind::Record(fields) => {
            let mut fields: Vec<(String, Json)> = fields
                .iter()
                .map(|f| Some((f.name.value.clone(), plain(&f.value)?)))
                .collect::<Option<_>>()?;
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(fields.into_iter().collect())
        }
        ValueKind::Error => return None,
        ValueKind::Null => Json::Null,
        ValueKind::Bool(b) => Json::Bool(*b),
        ValueKind::Number(n) => Json::Number(n.clone()),
    })
}

fn text(model: &Model<'_>, template: &Template) -> String {
    if let Some(text) = template.as_text() {
        return text.to_owned();
    }
    let mut out = String::new();
    for part in &template.parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Native(native) => out.push_str(&native.text),
            Part::Reference(reference) => {
                shield(&mut out);
                out.push_str(&token(model, reference).to_string());
            }
        }
    }
    out
}

/// Makes sure that what was written so far does not change the meaning of a token that follows: backslashes at the end
/// are doubled, and an `@<` that no `>` has closed is made plain.
fn shield(out: &mut String) {
    if let Some(open) = out.rfind("@<")
        && !out[open..].contains(['>', '\n'])
    {
        let slashes = backslashes(&out[..open]);
        if slashes.is_multiple_of(2) {
            out.insert_str(open, &"\\".repeat(slashes + 1));
        }
    }
    let slashes = backslashes(out);
    out.push_str(&"\\".repeat(slashes));
}

fn backslashes(text: &str) -> usize {
    text.bytes().rev().take_while(|b| *b == b'\\').count()
}

fn token(model: &Model<'_>, reference: &Reference) -> reference::Reference {
    let target = model.targets.get(reference.id as usize).copied().unwrap_or(Target::Unknown);
    let mut path = reference.path.as_slice();
    let name = match target {
        Target::Operation(i) => {
            let operation = model.operations[i].ast;
            let name = &operation.name.value;
            match (&operation.each, path.split_first()) {
                (Some(_), Some((first, rest))) => {
                    path = rest;
                    match first.value {
                        Segment::Index(n) => format!("{name}.{n}.out"),
                        _ => format!("{name}.*.out"),
                    }
                }
                _ => format!("{name}.out"),
            }
        }
        // items are only named by native tokens, which stay as they are
        Target::Item(..) | Target::Items(_) | Target::Inputs | Target::Input(_) | Target::Unknown => {
            "pop.payload".to_owned()
        }
        Target::Each => "pop.each".to_owned(),
        Target::EachIndex => "pop.each_index".to_owned(),
        Target::RunId => {
            path = &[];
            "pop.agendaId".to_owned()
        }
        Target::RunCustomer => {
            path = &[];
            "pop.customerId".to_owned()
        }
    };
    let path = path
        .iter()
        .map(|step| match &step.value {
            Segment::Field(name) => name.clone(),
            Segment::Index(index) => index.to_string(),
            Segment::All => "*".to_owned(),
        })
        .collect();
    reference::Reference { name, path, default: reference.default.as_ref().map(|d| d.value.clone()) }
}
