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
    let mut filler = Filler { lookup: &lookup, faults: Vec::new() };
    let skeleton = &template.agenda;
    let mut agenda = Agenda {
        id: skeleton.id.clone(),
        cid: filler.label(skeleton.cid.as_deref(), "/agenda/cid"),
        title: filler.label(skeleton.title.as_deref(), "/agenda/title").or_else(|| template.title.clone()),
        customer_id: filler.label(skeleton.customer_id.as_deref(), "/agenda/customerId"),
        link_id: filler.label(skeleton.link_id.as_deref(), "/agenda/linkId"),
        params: object(filler.value(&Value::Object(skeleton.params.clone()), "/agenda/params")),
        operations: Vec::with_capacity(skeleton.operations.len()),
    };
    for (i, operation) in skeleton.operations.iter().enumerate() {
        let mut made = operation.clone();
        let at = format!("/agenda/operations/{i}");
        for (field, part) in [("name", &mut made.name), ("type", &mut made.kind)] {
            if part.contains("@<") {
                *part = filler.label(Some(part), &format!("{at}/{field}")).unwrap_or_default();
            }
        }
        made.payload = filler.value(&made.payload, &format!("{at}/payload"));
        made.params =
            object(filler.value(&Value::Object(std::mem::take(&mut made.params)), &format!("{at}/params")));
        agenda.operations.push(made);
    }
    let mut faults = filler.faults;
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

struct Filler<'f, 'v> {
    lookup: &'f dyn Fn(&str) -> Option<&'v Value>,
    faults: Vec<Diagnostic>,
}

impl Filler<'_, '_> {
    /// Fills in what is filled in again when the agenda runs.
    fn value(&mut self, value: &Value, at: &str) -> Value {
        let (value, report) = reference::substitute(value, self.lookup, Mode::Template);
        for token in report.invalid {
            self.unresolved(at, &token);
        }
        value
    }

    /// Fills in what is never looked at again: escapes are resolved, and a name that nobody knows is a fault.
    fn label(&mut self, text: Option<&str>, at: &str) -> Option<String> {
        let (value, report) = reference::substitute(&Value::from(text?), self.lookup, Mode::Final);
        for token in report.invalid {
            self.unresolved(at, &token);
        }
        for token in report.missing {
            let name = reference::whole(&token).map_or("", |t| t.name);
            if reference::operation_of(name).is_none() && !name.starts_with("pop.") {
                self.unresolved(at, &token);
            }
        }
        match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        }
    }

    fn unresolved(&mut self, at: &str, token: &str) {
        let message = format!("nothing is at `{token}` in the inputs");
        let finding = Diagnostic::error("unknown-input", Location::Pointer(at.to_owned()), message);
        let help = "submit that input, or give the reference a default: `@<name::/pointer?default>`";
        self.faults.push(finding.help(help));
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
