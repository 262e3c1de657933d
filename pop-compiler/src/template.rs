//! Filling in a template: inputs are checked, references to them replaced, fan-outs expanded.

mod fan_out;
mod inputs;

use serde_json::{Map, Value};

use crate::agenda::{Agenda, AgendaTemplate, keys};
use crate::diagnostic::{Diagnostic, Location};
use crate::reference::{self, Mode};

/// Makes the agenda that a template and its inputs stand for.
///
/// Inputs are addressed as `@<pop.payload::/name>`; each top-level input is also a name of its own, as are the static
/// parameters. What is inserted is never read as a reference again.
///
/// # Errors
/// Every fault of the inputs, with a JSON pointer into them; and fan-outs that are no list.
pub fn expand(template: &AgendaTemplate, inputs: &Value) -> Result<Agenda, Vec<Diagnostic>> {
    let payload = match template.params.get(keys::INPUTS) {
        Some(schema) => inputs::check(schema, inputs)?,
        None => inputs.clone(),
    };
    let lookup = |name: &str| match name {
        "pop.payload" | "pop.transformRequest" => Some(&payload),
        _ => template.static_parameters.get(name).or_else(|| {
            let reserved = reference::operation_of(name).is_some() || name.starts_with("pop.");
            payload.as_object().filter(|_| !reserved).and_then(|map| map.get(name))
        }),
    };
    let mut faults = Vec::new();
    let mut fill = |value: &Value, at: &dyn Fn() -> String| {
        let (value, report) = reference::substitute(value, &lookup, Mode::Template);
        for token in report.invalid {
            faults.push(unresolved(at(), &token));
        }
        value
    };
    let skeleton = &template.agenda;
    let mut agenda = Agenda {
        id: skeleton.id.clone(),
        cid: text(skeleton.cid.as_deref(), &mut |v| fill(v, &|| "/agenda/cid".into())),
        title: text(skeleton.title.as_deref(), &mut |v| fill(v, &|| "/agenda/title".into()))
            .or_else(|| template.title.clone()),
        customer_id: text(skeleton.customer_id.as_deref(), &mut |v| fill(v, &|| "/agenda/customerId".into())),
        link_id: text(skeleton.link_id.as_deref(), &mut |v| fill(v, &|| "/agenda/linkId".into())),
        params: object(fill(&Value::Object(skeleton.params.clone()), &|| "/agenda/params".into())),
        operations: Vec::with_capacity(skeleton.operations.len()),
    };
    for (i, operation) in skeleton.operations.iter().enumerate() {
        let mut made = operation.clone();
        let at = |field: &str| format!("/agenda/operations/{i}/{field}");
        for (field, part) in [("name", &mut made.name), ("type", &mut made.kind)] {
            if part.contains("@<") {
                let filled = fill(&Value::from(part.as_str()), &|| at(field));
                *part = filled.as_str().map_or_else(|| filled.to_string(), str::to_owned);
            }
        }
        made.payload = fill(&made.payload, &|| at("payload"));
        made.params = object(fill(&Value::Object(std::mem::take(&mut made.params)), &|| at("params")));
        agenda.operations.push(made);
    }
    if faults.is_empty() {
        fan_out::expand(&mut agenda, &mut faults);
    }
    if faults.is_empty() { Ok(agenda) } else { Err(faults) }
}

impl AgendaTemplate {
    /// [`expand`] as a method.
    ///
    /// # Errors
    /// As [`expand`].
    pub fn expand(&self, inputs: &Value) -> Result<Agenda, Vec<Diagnostic>> {
        expand(self, inputs)
    }
}

fn unresolved(pointer: String, token: &str) -> Diagnostic {
    Diagnostic::error(
        "unknown-input",
        Location::Pointer(pointer),
        format!("nothing is at `{token}` in the inputs"),
    )
    .help("submit that input, or give the reference a default: `@<name::/pointer?default>`")
}

fn text(value: Option<&str>, fill: &mut dyn FnMut(&Value) -> Value) -> Option<String> {
    match fill(&Value::from(value?)) {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests;
